// SPDX-License-Identifier: Apache-2.0
// What clients ask of a running stream: a new prompt, a new worker.
#include "api/stream.h"

namespace framelock::api {

namespace {

// One more try when the worker or the media process died under the first one.
constexpr int kUpdateAttempts = 2;
constexpr std::chrono::milliseconds kLossNotice{200};

Error Stopped() { return Error{ErrorCode::kCancelled, "the stream has ended"}; }

}  // namespace

// Until worker and media process run and are joined.
net::Task<Status> Stream::AwaitServing(SteadyTime deadline) {
  for (;;) {
    if (stop_requested_ || IsFinal(state_) || state_ == StreamState::kStopping) co_return Stopped();
    if (state_ == StreamState::kRunning && !NeedsAttention()) co_return Status();
    const SteadyTime now = around_.clock.Now();
    const std::optional<std::chrono::nanoseconds> pause = Workers().pause();
    if (!worker_ && pause && now + *pause > deadline) {
      co_return Error{ErrorCode::kUnavailable,
                      "the stream waits for a worker, and none is made now"};
    }
    if (now >= deadline) {
      co_return Error{ErrorCode::kTimeout, "the stream's worker was not ready in time"};
    }
    co_await changed_->WaitFor(deadline - now);
  }
}

// Updates wait for each other.
net::Task<Status> Stream::BeginUpdate() {
  if (waiting_updates_ >= around_.limits.max_waiting_updates) {
    co_return Error{ErrorCode::kUnavailable, "too many prompt updates wait already"};
  }
  ++waiting_updates_;
  while (update_running_) co_await changed_->Wait();
  update_running_ = true;
  co_return Status();
}

void Stream::EndUpdate() {
  update_running_ = false;
  --waiting_updates_;
  changed_->NotifyAll();
}

net::Task<Result<PromptVerdict>> Stream::UpdatePrompt(PromptUpdate update) {
  const Status begun = co_await BeginUpdate();
  if (!begun) co_return begun.error();
  GraphSettings settings;
  const SteadyTime deadline = around_.clock.Now() + around_.limits.prompt_timeout;
  std::string failure = "the worker died while it was given the prompt";
  Result<PromptVerdict> result = Error{ErrorCode::kUnavailable, failure};
  for (int attempt = 0; attempt < kUpdateAttempts; ++attempt) {
    const Status serving = co_await AwaitServing(deadline);
    if (!serving) {
      result = serving.error();
      break;
    }
    settings = SettingsAfter(update, config_);
    std::optional<Result<PromptVerdict>> tried =
        co_await TryUpdate(update.text, settings, deadline, failure);
    if (!tried) {
      result = Error{ErrorCode::kUnavailable, failure};
      continue;
    }
    result = std::move(*tried);
    break;
  }
  if (result && result->applied) {
    SetSettings(settings, config_);
    prompt_.OnAccepted(std::move(update.text), settings, result->revision,
                       CurrentAccount().completed);
  }
  EndUpdate();
  co_return result;
}

// nullopt: worker or media process were lost before they answered.
net::Task<std::optional<Result<PromptVerdict>>> Stream::TryUpdate(const std::string& text,
                                                                  const GraphSettings& settings,
                                                                  SteadyTime deadline,
                                                                  std::string& last_error) {
  using Answer = std::optional<Result<PromptVerdict>>;
  const std::uint64_t request = ++request_;
  const std::uint64_t lease = lease_;
  const std::uint64_t restarts = worker_past_.restarts + media_past_.restarts;
  const Status sent = media_->SendPrompt(request, text, settings);
  if (!sent) {
    if (sent.error().code != ErrorCode::kClosed) co_return Answer(sent.error());
    // Its end may not have been noticed yet; without its line it is of no use anyway.
    if (!MediaEnded()) media_->Kill();
    last_error = "the media process was gone when it was given the prompt";
  }
  for (;;) {
    if (stop_requested_ || IsFinal(state_)) co_return Answer(Stopped());
    const bool same =
        MediaRuns() && lease == lease_ && restarts == worker_past_.restarts + media_past_.restarts;
    if (same && media_->report().answered_request >= request) {
      if (media_->report().prompt_failure.empty()) co_return Answer(media_->report().verdict);
      // Most often the worker is just dying; its loss is about to be reported.
      last_error = media_->report().prompt_failure;
      co_await changed_->WaitFor(kLossNotice);
      co_return Answer();
    }
    if (!same || !WorkerRuns() || LeaseLost()) co_return Answer();
    const SteadyTime now = around_.clock.Now();
    if (now >= deadline) {
      // It may still apply the prompt later, after we have said no: a fresh worker will not.
      worker_restart_requested_ = true;
      changed_->NotifyAll();
      co_return Answer(Error{ErrorCode::kTimeout, "the worker did not judge the prompt in time"});
    }
    co_await changed_->WaitFor(deadline - now);
  }
}

net::Task<Status> Stream::RestartWorker() {
  const SteadyTime deadline =
      around_.clock.Now() + around_.limits.worker_timeout + around_.limits.prompt_timeout;
  const Status serving = co_await AwaitServing(deadline);
  if (!serving) co_return serving;
  if (Workers().pause()) {
    co_return Error{ErrorCode::kUnavailable, "no worker can be started: the present one goes on"};
  }
  worker_restart_requested_ = true;
  changed_->NotifyAll();
  co_return co_await AwaitServing(deadline);
}

}  // namespace framelock::api
