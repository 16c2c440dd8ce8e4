// SPDX-License-Identifier: Apache-2.0
#include "api/stream.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <csignal>
#include <nlohmann/json.hpp>
#include <utility>

#include "api/stream_account.h"
#include "api/worker_end.h"

namespace framelock::api {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds kTick{1000};    // how often a quiet stream looks at itself
constexpr milliseconds kPoolPoll{10};  // how often a waiting stream asks a pool that makes workers
constexpr std::chrono::seconds kKillWait{10};  // after SIGKILL; longer only in a broken kernel

Error Cancelled() { return Error{ErrorCode::kCancelled, "the stream was stopped"}; }

}  // namespace

std::shared_ptr<Stream> Stream::Create(Surroundings& around, stream::StreamConfig config,
                                       std::string prompt, StreamPlan plan) {
  return std::shared_ptr<Stream>(
      new Stream(around, std::move(config), std::move(prompt), std::move(plan)));
}

Stream::Stream(Surroundings& around, stream::StreamConfig config, std::string prompt,
               StreamPlan plan)
    : around_(around),
      config_(std::move(config)),
      plan_(std::move(plan)),
      changed_(std::make_shared<net::Signal>(around.loop)),
      texts_(std::make_shared<TextFeed>(static_cast<std::size_t>(config_.max_waiting_texts))),
      created_(around.clock.Now()),
      started_at_(std::chrono::system_clock::now()),
      prompt_(std::move(prompt), SettingsOf(config_)),
      worker_past_(around.limits.restart),
      media_past_(around.limits.restart) {
  if (plan_.architecture != Architecture::kPerPrompt) return;
  prompts_ = PromptWorkers::Create(around_, config_.id, changed_);
  prompts_->PutToWork(prompt_.text(), config_.worker, prompt_.revision());
}

WorkerSource& Stream::Workers() const {
  return plan_.architecture == Architecture::kShared ? around_.shared_workers : around_.workers;
}

net::Task<Result<PromptVerdict>> Stream::Start() {
  around_.loop.Spawn(Supervise(shared_from_this()));
  while (!start_result_) co_await changed_->Wait();
  co_return *start_result_;
}

void Stream::RequestStop() {
  stop_requested_ = true;
  // A worker that is busy with a prompt cannot be asked; before frames flow nothing is lost by it.
  if (worker_ && !prepared_) worker_->Kill();
  if (prompts_) prompts_->RequestStop();
  changed_->NotifyAll();
}

net::Task<> Stream::Stop() {
  RequestStop();
  while (!IsFinal(state_)) co_await changed_->Wait();
}

net::Task<> Stream::AwaitChange(std::chrono::nanoseconds timeout) {
  co_await changed_->WaitFor(timeout);
}

net::Task<> Stream::Supervise(std::shared_ptr<Stream> self) {
  Stream& s = *self;
  Result<PromptVerdict> up = co_await s.BringUp();
  if (up && up->applied && !s.stop_requested_) {
    s.NoteRunning();
    s.start_result_ = up;
    s.changed_->NotifyAll();
    while (!s.stop_requested_ && !s.failed_ && !s.MediaEnded()) {
      if (s.NeedsAttention()) {
        co_await s.Recover();
      } else {
        co_await s.changed_->WaitFor(kTick);
      }
    }
    s.NoteEnd();
  } else {
    if (s.stop_requested_) up = Cancelled();
    s.failed_ = !s.stop_requested_;
    if (!up) s.NoteError(up.error().message);
  }
  s.EnterState(StreamState::kStopping);
  co_await s.TearDown();
  s.EnterState(s.failed_ ? StreamState::kFailed : StreamState::kStopped);
  if (!s.start_result_) s.start_result_ = std::move(up);
  s.changed_->NotifyAll();
}

// An end that the media process announced is one that it chose: end of the input, or an error that
// a restart would only repeat. A crash announces nothing.
void Stream::NoteEnd() {
  if (stop_requested_ || !MediaEnded() || *media_->report().ended != "error") return;
  failed_ = true;
  NoteError(media_->report().last_error.empty() ? "the media process gave up"
                                                : media_->report().last_error);
}

net::Task<Result<PromptVerdict>> Stream::BringUp() {
  // A stream that runs publishes on while it waits for a worker.
  if (start_result_ && !media_) {
    const Status started = co_await StartMedia();
    if (!started) co_return started.error();
  }
  if (!worker_) {
    const Status taken = co_await TakeWorker();
    if (!taken) co_return taken.error();
  }
  PromptVerdict verdict{.applied = true, .revision = prompt_.revision(), .errors_json = {}};
  if (!prepared_) {
    Result<PromptVerdict> prepared = co_await PrepareWorker();
    if (!prepared || !prepared->applied) co_return prepared;
    verdict = std::move(*prepared);
  }
  if (prompts_ && !start_result_) {
    Result<PromptVerdict> warm = co_await WarmPrompts();
    if (!warm || !warm->applied) co_return warm;
  }
  if (!media_) {
    const Status started = co_await StartMedia();
    if (!started) co_return started.error();
  }
  if (!lent_) {
    const Status lent = media_->LendWorker(worker_->socket(), last_lease_ + 1, SizeOf(config_));
    // A media process that ran and has announced its end already (its input is no video, say) is a
    // matter of the stream's state, not of its start.
    if (!lent && MediaEnded()) co_return verdict;
    if (!lent) {
      media_->Kill();  // it no longer reads its line
      co_return lent.error();
    }
    lease_ = ++last_lease_;
    lent_ = true;
  }
  co_return verdict;
}

// A start waits only so long, and not at all while the pool makes no workers; a stream that runs
// waits for as long as it takes, or until its media process needs it.
net::Task<Status> Stream::TakeWorker() {
  const SteadyTime deadline = around_.clock.Now() + around_.limits.worker_timeout;
  for (;;) {
    if (stop_requested_) co_return Cancelled();
    Result<std::unique_ptr<StreamWorker>> taken = TryTakeWorker();
    if (taken) {
      worker_ = std::move(*taken);
      worker_past_.fresh = true;
      prepared_ = false;
      lent_ = false;
      spdlog::info("stream={} worker={} taken", config_.id, worker_->pid());
      co_return Status();
    }
    const std::optional<std::chrono::nanoseconds> pause = Workers().pause();
    const bool out_of_order = taken.error().code != ErrorCode::kUnavailable;
    if (out_of_order || pause || around_.clock.Now() >= deadline) {
      if (!start_result_) co_return taken.error();
      const std::string why = "waiting for a worker: " + taken.error().message;
      if (why != ShownError()) NoteError(why);
    }
    if (start_result_ && MediaNeedsAttention()) co_return taken.error();
    const std::chrono::nanoseconds wait = out_of_order ? kTick : pause.value_or(kPoolPoll);
    co_await changed_->WaitFor(std::clamp<std::chrono::nanoseconds>(wait, kPoolPoll, kTick));
  }
}

net::Task<Result<PromptVerdict>> Stream::PrepareWorker() {
  Result<PromptVerdict> verdict = co_await worker_->Prepare(
      prompt_.text(), config_.worker, prompt_.revision(), around_.limits.prompt_timeout);
  if (stop_requested_) co_return Cancelled();
  if (!verdict) {
    worker_->Kill();
    co_await WorkerGone(kKillWait);
    const std::string how = worker_->departure() ? " (" + worker_->departure()->reason + ")" : "";
    co_return Error{verdict.error().code, "worker: " + verdict.error().message + how};
  }
  if (verdict->applied) {
    prepared_ = true;
    prompt_.OnPrepared(verdict->revision);
    if (prompts_) prompts_->PutToWork(prompt_.text(), config_.worker, prompt_.revision());
  }
  co_return verdict;
}

net::Task<Status> Stream::StartMedia() {
  Result<std::unique_ptr<MediaProcess>> spawned = around_.media.Spawn(config_, changed_, texts_);
  if (!spawned) {
    media_past_.lost = true;
    co_return spawned.error();
  }
  media_ = std::move(*spawned);
  media_past_.fresh = true;
  lease_ = last_lease_ = 0;
  lent_ = false;
  const SteadyTime deadline = around_.clock.Now() + around_.limits.media_timeout;
  while (MediaRuns() && !media_->report().started && !MediaEnded()) {
    const SteadyTime now = around_.clock.Now();
    if (stop_requested_) co_return Cancelled();
    if (now >= deadline) {
      media_->Kill();
      co_await MediaGone(kKillWait);
      co_return Error{ErrorCode::kTimeout, "the media process did not start in time"};
    }
    co_await changed_->WaitFor(deadline - now);
  }
  if (media_->report().started && (MediaRuns() || MediaEnded())) {
    spdlog::info("stream={} media={} started", config_.id, media_->pid());
    co_return Status();
  }
  co_await MediaGone(around_.limits.ladder.cooperative);
  std::string why = media_->report().last_error;
  if (why.empty()) why = media_->departure() ? media_->departure()->reason : "it ended at once";
  co_return Error{ErrorCode::kInternal, "the media process failed: " + why};
}

bool Stream::MediaSilent() const {
  if (!MediaRuns()) return false;
  const std::optional<SteadyTime> heard = media_->report().last_heard;
  return heard && around_.clock.Now() - *heard > around_.limits.media_silence;
}

bool Stream::LeaseLost() const { return lent_ && media_ && media_->report().lost_lease >= lease_; }

bool Stream::MediaNeedsAttention() const {
  return media_ && (!MediaRuns() || MediaEnded() || MediaSilent());
}

// While another worker takes over, what is wrong with the one before may be over in a moment.
bool Stream::NeedsAttention() const {
  if (switching_) return false;
  return !WorkerRuns() || !MediaRuns() || !prepared_ || !lent_ || LeaseLost() || MediaSilent() ||
         worker_restart_requested_;
}

net::Task<> Stream::Recover() {
  co_await ReapLost();
  worker_restart_requested_ = false;
  EnterState(worker_ ? StreamState::kRestartingMedia : StreamState::kReplacingWorker);
  if (worker_past_.lost || media_past_.lost) {
    const bool may = co_await PauseBeforeRestart();
    if (!may) co_return;
  }
  const Result<PromptVerdict> up = co_await BringUp();
  if (stop_requested_ || !worker_) co_return;
  if (!up || !up->applied) {
    NoteError(up ? "a new worker refused the prompt that the last one ran" : up.error().message);
    // A worker that refuses is of no use, and its end makes the next attempt count.
    if (up && worker_) worker_->Kill();
    co_await changed_->WaitFor(kPoolPoll);
    co_return;
  }
  NoteRunning();
}

void Stream::NoteRunning() {
  const SteadyTime now = around_.clock.Now();
  if (std::exchange(worker_past_.fresh, false)) worker_past_.policy.OnStarted(now);
  if (std::exchange(media_past_.fresh, false)) media_past_.policy.OnStarted(now);
  EnterState(StreamState::kRunning);
}

// Kills what hangs or is to be replaced, waits for what died, and writes down how.
net::Task<> Stream::ReapLost() {
  if (WorkerRuns() && (LeaseLost() || worker_restart_requested_)) {
    if (LeaseLost()) NoteError("worker lost: " + media_->report().lost_reason);
    worker_->Kill();
    co_await WorkerGone(kKillWait);
  }
  if (MediaSilent()) {
    NoteError("the media process hangs; it is replaced");
    media_->Kill();
    co_await MediaGone(kKillWait);
  }
  if (worker_ && !WorkerRuns()) {
    worker_past_.exit = worker_->departure();
    ++worker_past_.restarts;
    worker_past_.lost = !worker_restart_requested_;
    if (worker_past_.lost && !LeaseLost()) NoteError("worker died: " + worker_past_.exit->reason);
    // In company it is not known whose prompt killed it.
    const bool alone = worker_->streams() <= 1;
    worker_.reset();
    prepared_ = lent_ = false;
    if (!worker_restart_requested_ && alone && prompt_.OnWorkerDied(CurrentAccount().completed)) {
      SetSettings(prompt_.settings(), config_);
      NoteError("the new prompt killed its workers: the one before runs again");
      if (prompts_) {
        prompts_->Return(prompts_->at_work_key(), nullptr);
        prompts_->PutToWork(prompt_.text(), config_.worker, prompt_.revision());
      }
    }
  }
  if (media_ && !MediaRuns()) {
    ++media_past_.restarts;
    media_past_.lost = true;
    NoteError("media process died: " + media_->departure()->reason);
    ForgetMedia();
    // It may have died between an applied prompt and its report: the worker is asked again.
    prepared_ = lent_ = false;
  }
}

// False: no restart (stopped, or the limit is reached and the stream has failed).
net::Task<bool> Stream::PauseBeforeRestart() {
  const SteadyTime now = around_.clock.Now();
  std::optional<std::chrono::nanoseconds> pause = std::chrono::nanoseconds(0);
  if (std::exchange(worker_past_.lost, false)) pause = worker_past_.policy.OnEnded(now);
  if (std::exchange(media_past_.lost, false) && pause) {
    const auto other = media_past_.policy.OnEnded(now);
    pause = other ? std::optional(std::max(*pause, *other)) : std::nullopt;
  }
  if (!pause) {
    failed_ = true;
    NoteError("given up after " + std::to_string(around_.limits.restart.max_restarts) +
              " restarts: " + last_error_);
    co_return false;
  }
  const SteadyTime resume = now + *pause;
  while (!stop_requested_ && around_.clock.Now() < resume) {
    co_await changed_->WaitFor(resume - around_.clock.Now());
  }
  co_return !stop_requested_;
}

net::Task<> Stream::TearDown() {
  if (MediaRuns()) co_await EndMedia();
  ForgetMedia();
  if (WorkerRuns()) co_await EndWorker(*worker_, *changed_, around_.clock, around_.limits.ladder);
  // A worker that was to take over comes back first.
  while (switching_) co_await changed_->Wait();
  if (prompts_) co_await prompts_->Close();
  if (worker_ && worker_->departure()) worker_past_.exit = worker_->departure();
  worker_.reset();
  prepared_ = lent_ = false;
}

// Keeps what the process has counted; frames that were open in it are lost.
void Stream::ForgetMedia() {
  if (!media_) return;
  if (media_->departure()) media_past_.exit = media_->departure();
  last_status_ = media_->report().status;
  past_account_ = StreamAccount(past_account_, last_status_);
  past_account_.lost += past_account_.open;
  past_account_.open = 0;
  media_.reset();
}

net::Task<> Stream::EndMedia() {
  const process::KillLadder& ladder = around_.limits.ladder;
  const Status asked = media_->RequestStop();
  if (asked && co_await MediaGone(ladder.cooperative)) co_return;
  media_->Signal(SIGTERM);
  if (co_await MediaGone(ladder.term)) co_return;
  spdlog::warn("stream={} the media process ignores the stop: killed", config_.id);
  media_->Kill();
  co_await MediaGone(kKillWait);
}

net::Task<bool> Stream::WorkerGone(std::chrono::nanoseconds timeout) {
  const SteadyTime deadline = around_.clock.Now() + timeout;
  while (WorkerRuns() && around_.clock.Now() < deadline) {
    co_await changed_->WaitFor(deadline - around_.clock.Now());
  }
  co_return !WorkerRuns();
}

net::Task<bool> Stream::MediaGone(std::chrono::nanoseconds timeout) {
  const SteadyTime deadline = around_.clock.Now() + timeout;
  while (MediaRuns() && around_.clock.Now() < deadline) {
    co_await changed_->WaitFor(deadline - around_.clock.Now());
  }
  co_return !MediaRuns();
}

void Stream::EnterState(StreamState state) {
  if (state == state_) return;
  spdlog::info("stream={} state {} -> {}", config_.id, StreamStateName(state_),
               StreamStateName(state));
  state_ = state;
  changed_->NotifyAll();
}

void Stream::NoteError(std::string message) {
  spdlog::warn("stream={} revision={} {}", config_.id, prompt_.revision(), message);
  last_error_ = std::move(message);
  last_error_time_ = around_.clock.Now();
}

}  // namespace framelock::api
