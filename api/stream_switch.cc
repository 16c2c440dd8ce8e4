// SPDX-License-Identifier: Apache-2.0
// A stream with a worker for each of its prompts: which of them is at work.
#include <algorithm>
#include <utility>

#include "api/prompt_choice.h"
#include "api/stream.h"

namespace framelock::api {

namespace {

// For the media process to give up a worker that was killed because it did not get ready.
constexpr std::chrono::seconds kGiveUpWait{2};

Error Stopped() { return Error{ErrorCode::kCancelled, "the stream has ended"}; }

}  // namespace

// The prompt's own, which may wait already, or one from the pool.
Result<std::unique_ptr<StreamWorker>> Stream::TryTakeWorker() {
  if (prompts_) {
    const PromptWorkers::Key& key = prompts_->at_work_key();
    if (std::unique_ptr<StreamWorker> own = prompts_->Take(key)) return own;
    if (prompts_->Holds(key)) {
      return Error{ErrorCode::kUnavailable, "the prompt's worker is not ready yet"};
    }
  }
  return Workers().TryTake(config_.id, changed_);
}

// Before the stream runs: those that are to wait.
net::Task<Result<PromptVerdict>> Stream::WarmPrompts() {
  prompts_->PutToWork(prompt_.text(), config_.worker, prompt_.revision());
  const SteadyTime deadline = around_.clock.Now() + around_.limits.worker_timeout;
  Result<PromptVerdict> warm =
      co_await prompts_->Add(plan_.further_prompts, config_.worker, deadline);
  if (warm && warm->applied) prompts_->Watch();
  co_return warm;
}

net::Task<Status> Stream::SwitchPrompt(std::string id) {
  const Status begun = co_await BeginUpdate();
  if (!begun) co_return begun;
  const SteadyTime deadline = around_.clock.Now() + around_.limits.prompt_timeout;
  Status switched;
  const PromptWorkers::Prompt* prompt = prompts_->Find(id);
  if (prompt == nullptr) {
    switched = Error{ErrorCode::kNotFound, "Prompt " + id + " not found"};
  } else {
    switched = co_await PutToWork(prompt->key, SizeOf(config_), deadline);
  }
  EndUpdate();
  co_return switched;
}

net::Task<Result<PromptVerdict>> Stream::UpdatePrompts(PromptSetUpdate update) {
  const Status begun = co_await BeginUpdate();
  if (!begun) co_return begun.error();
  const GraphSettings settings = SettingsAfter(update, config_);
  const SteadyTime deadline = around_.clock.Now() + around_.limits.prompt_timeout;
  const std::vector<PromptWorkers::Key> before = prompts_->Keys();
  std::vector<PromptWorkers::Key> after;
  for (const std::string& text : update.texts) after.push_back({PromptId(text), settings.worker});
  Result<PromptVerdict> result =
      co_await prompts_->Add(std::move(update.texts), settings.worker, deadline);
  if (result && result->applied) {
    // Warming may have taken longer: each prompt has a time of its own for that.
    const SteadyTime until = around_.clock.Now() + around_.limits.prompt_timeout;
    const Status put = co_await PutToWork(after.front(), settings.size, until);
    // What is at work now stays, whatever was said of it.
    prompts_->KeepOnly(prompts_->at_work_key() == after.front() ? after : before);
    result->revision = prompt_.revision();
    if (!put) result = put.error();
  }
  EndUpdate();
  co_return result;
}

net::Task<Status> Stream::PutToWork(PromptWorkers::Key key, InputSize size, SteadyTime deadline) {
  for (;;) {
    const Status serving = co_await AwaitServing(deadline);
    if (!serving) co_return serving;
    if (prompts_->at_work_key() == key) {
      Status resized;
      if (size != SizeOf(config_)) resized = co_await ResizeAtWork(size, deadline);
      co_return resized;
    }
    if (prompts_->Ready(key)) break;
    const SteadyTime now = around_.clock.Now();
    if (now >= deadline) {
      co_return Error{ErrorCode::kUnavailable,
                      "the worker of prompt " + key.id + " is not ready: " + prompts_->Reason(key)};
    }
    co_await changed_->WaitFor(deadline - now);
  }
  std::unique_ptr<StreamWorker> next = prompts_->Take(key);
  switching_ = true;
  const std::uint64_t lease = ++last_lease_;
  const Status handed = co_await HandOver(*next, lease, size, deadline);
  const bool in_force =
      media_ && media_->report().switched_lease == lease && media_->report().switch_in_force;
  if (in_force) {
    const PromptWorkers::Prompt prompt = *prompts_->Find(key);
    const GraphSettings settings{size, key.settings};
    std::swap(worker_, next);
    lease_ = lease;
    SetSettings(settings, config_);
    prompts_->Return(prompts_->at_work_key(), std::move(next));
    prompts_->PutToWork(prompt.text, key.settings, prompt.revision);
    prompt_.OnAccepted(prompt.text, settings, prompt.revision, CurrentAccount().completed);
    prompt_.OnPrepared(prompt.revision);
    worker_past_.policy.OnStarted(around_.clock.Now());
  } else {
    prompts_->Return(key, std::move(next));
  }
  switching_ = false;
  changed_->NotifyAll();
  co_return handed;
}

// The size of the frames changes with a prompt: the one at work is applied once more.
net::Task<Status> Stream::ResizeAtWork(InputSize size, SteadyTime deadline) {
  const std::string text = prompt_.text();
  const GraphSettings settings{size, config_.worker};
  std::string failure = "the worker died while it was given the prompt";
  const std::optional<Result<PromptVerdict>> tried =
      co_await TryUpdate(text, settings, deadline, failure);
  if (!tried) co_return Error{ErrorCode::kUnavailable, failure};
  if (!*tried) co_return tried->error();
  if (!(*tried)->applied) {
    co_return Error{ErrorCode::kUnavailable, "the worker refused its own prompt in another size"};
  }
  SetSettings(settings, config_);
  prompt_.OnAccepted(text, settings, (*tried)->revision, CurrentAccount().completed);
  prompts_->PutToWork(text, settings.worker, (*tried)->revision);
  co_return Status();
}

// Until the media process says what became of it, or is gone.
net::Task<Status> Stream::HandOver(StreamWorker& next, std::uint64_t lease, InputSize size,
                                   SteadyTime deadline) {
  const Status sent = media_->SwitchWorker(next.socket(), lease, size);
  if (!sent) {
    if (sent.error().code == ErrorCode::kClosed && !MediaEnded()) media_->Kill();
    co_return Error{ErrorCode::kUnavailable, sent.error().message};
  }
  bool given_up = false;
  for (;;) {
    if (stop_requested_ || state_ != StreamState::kRunning) co_return Stopped();
    if (!MediaRuns() || MediaEnded()) {
      co_return Error{ErrorCode::kUnavailable, "the media process ended meanwhile"};
    }
    const MediaReport& report = media_->report();
    if (report.switched_lease >= lease) {
      if (report.switch_applied) co_return Status();
      co_return Error{report.switch_in_force ? ErrorCode::kTimeout : ErrorCode::kUnavailable,
                      report.switch_failure};
    }
    const SteadyTime now = around_.clock.Now();
    if (now >= deadline && given_up) {
      media_->Kill();  // it neither takes the worker nor gives it up
      co_return Error{ErrorCode::kTimeout, "the media process did not answer in time"};
    }
    if (now >= deadline) {
      given_up = true;
      next.Kill();
      deadline = now + kGiveUpWait;
    }
    co_await changed_->WaitFor(deadline - now);
  }
}

}  // namespace framelock::api
