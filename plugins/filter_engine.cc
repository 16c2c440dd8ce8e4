// SPDX-License-Identifier: Apache-2.0
#include "plugins/filter_engine.h"

#include <poll.h>

#include <algorithm>
#include <utility>

namespace framelock::plugins {

Result<std::unique_ptr<FilterEngine>> FilterEngine::Create(Options options) {
  auto wake = EventFd::Create();
  if (!wake) return wake.error();
  return std::unique_ptr<FilterEngine>(
      new FilterEngine(std::move(options), std::make_shared<EventFd>(std::move(*wake))));
}

FilterEngine::FilterEngine(Options options, std::shared_ptr<EventFd> wake)
    : options_(std::move(options)),
      wake_(std::move(wake)),
      line_(options_.line),
      seat_(options_.worker),
      prompt_(options_.prompt) {}

FilterEngine::~FilterEngine() { Close(); }

FilterEngine::Flow FilterEngine::flow() const {
  if (stopped_ || flushing_) return Flow::kFlushing;
  return ended_ || failed_ ? Flow::kEnded : Flow::kOk;
}

// Upstream's streaming thread ---------------------------------------------------------------------

Status FilterEngine::SetFormat(InputFormat format) {
  std::unique_lock lock(mutex_);
  if (format_ && format_->pixels == format.pixels && format_->width == format.width &&
      format_->height == format.height) {
    format.id = format_->id;
    format_ = std::make_shared<const InputFormat>(std::move(format));
    return {};
  }
  // The frame that waits has the old format, and the region for it goes now.
  const auto settled = [this] { return flow() != Flow::kOk || Holding() || line_.HasRoom(); };
  if (options_.line.full_policy == FullPolicy::kBlock) {
    changed_.wait(lock, settled);
  } else {
    changed_.wait_for(lock, options_.format_wait, settled);
    line_.SkipWaiting(Now());
  }
  format.id = format_ ? format_->id + 1 : 1;
  format_ = std::make_shared<const InputFormat>(std::move(format));
  output_slot_bytes_ = 0;
  return NewRegion();
}

FilterEngine::Flow FilterEngine::Enter(Cargo source, std::optional<std::chrono::nanoseconds> pts,
                                       const std::byte* packed) {
  LineFrame frame;
  frame.source = std::move(source);
  frame.pts = pts;
  frame.packed = packed;
  frame.format = format();
  const auto place = region();
  if (!frame.format || !place) return Flow::kEnded;
  // Not what is to be skipped anyway; and without a free slot it is tried again before submission.
  std::unique_lock lock(mutex_);
  if (line_.pace().Wants(pts, Now())) {
    lock.unlock();
    PlaceInSlot(frame, place);
    lock.lock();
  }
  if (options_.line.full_policy == FullPolicy::kBlock) {
    changed_.wait(lock, [this] { return flow() != Flow::kOk || line_.HasRoom(); });
  }
  if (flow() != Flow::kOk) return flow();
  const SteadyTime now = Now();
  inputs_.Tick(now);
  if (!wish_.Bears(*format_)) GiveUpSize();
  line_.Enter(std::move(frame), now);
  SubmitWaiting();
  // A frame that went straight to the worker needs no one until it is answered, or out of patience.
  if (line_.waiting() > 0 || line_.pace().cadence() == Cadence::kEvery) wake_->Notify();
  return Flow::kOk;
}

FilterEngine::Flow FilterEngine::EnterEvent(Cargo event) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock,
                [this] { return flow() != Flow::kOk || line_.events() < options_.max_events; });
  if (flow() != Flow::kOk) return flow();
  line_.EnterEvent(std::move(event));
  wake_->Notify();
  return Flow::kOk;
}

std::shared_ptr<host::FrameRegion> FilterEngine::region() const {
  const std::lock_guard lock(mutex_);
  return region_;
}

std::shared_ptr<const InputFormat> FilterEngine::format() const {
  const std::lock_guard lock(mutex_);
  return format_;
}

void FilterEngine::FlushStart() {
  const std::lock_guard lock(mutex_);
  flushing_ = true;
  changed_.notify_all();
}

std::vector<Cargo> FilterEngine::FlushStop() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return stopped_ || !pushing_; });
  auto events = line_.Flush();
  flushing_ = ended_ = false;
  wake_->Notify();
  return events;
}

// The source pad's task ---------------------------------------------------------------------------

std::optional<FilterWork> FilterEngine::Next() {
  const std::lock_guard lock(mutex_);
  if (stopped_) return std::nullopt;  // and Wait() does not sleep any more
  wake_->Drain();
  while (auto event = seat_.Next()) Handle(std::move(*event));
  MoveOn();
  if (!notices_.empty()) {
    FilterWork notice = std::move(notices_.front());
    notices_.pop_front();
    return notice;
  }
  if (flow() != Flow::kOk) return std::nullopt;
  const SteadyTime now = Now();
  auto output = line_.Take(now);
  changed_.notify_all();  // there may be room now
  if (!output) return std::nullopt;
  using Kind = LineOutput::Kind;
  pushing_ = true;
  ++pushes_;
  pushing_revision_.reset();
  if (output->kind == Kind::kResult || output->kind == Kind::kRepeat) {
    pushing_revision_ = output->result.revision;
  }
  if (output->kind == Kind::kResult) latency_.Add(output->latency);
  if (output->kind != Kind::kEvent) outputs_.Tick(now);
  return FilterWork(std::move(*output));
}

void FilterEngine::Pushed(std::size_t copies) {
  const std::lock_guard lock(mutex_);
  pushing_ = false;
  stats_.copied_out += copies;
  changed_.notify_all();
}

void FilterEngine::EndFlow() {
  const std::lock_guard lock(mutex_);
  pushing_ = false;
  ended_ = true;
  line_.Flush();
  changed_.notify_all();
}

void FilterEngine::SizeRefused() {
  const std::lock_guard lock(mutex_);
  GiveUpSize();
}

void FilterEngine::Wait() {
  std::vector<pollfd> fds{{wake_->fd(), POLLIN, 0}};
  std::chrono::nanoseconds left{};
  {
    const std::lock_guard lock(mutex_);
    for (const int fd : seat_.PollFds()) fds.push_back({fd, POLLIN, 0});
    SteadyTime deadline = seat_.NextDeadline();
    const auto line = line_.NextDeadline();
    if (line && flow() == Flow::kOk) deadline = std::min(deadline, *line);
    // What is due long ago may be too far away to be subtracted from.
    const SteadyTime now = Now();
    left = std::max(deadline, now) - now;
  }
  // Not poll(): frames leave at their time, not at the next millisecond.
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
  const timespec time{seconds.count(), (left - seconds).count()};
  ::ppoll(fds.data(), fds.size(), &time, nullptr);
}

// Any thread --------------------------------------------------------------------------------------

PromptAnswer FilterEngine::SetPrompt(PromptOffer offer) {
  const std::lock_guard one_at_a_time(prompt_calls_);
  std::unique_lock lock(mutex_);
  using Kind = PromptAnswer::Kind;
  const auto deadline = std::chrono::steady_clock::now() + options_.prompt_timeout;
  prompt_.Offer(std::move(offer));
  wake_->Notify();
  changed_.wait_until(lock, deadline,
                      [this] { return stopped_ || failed_ || prompt_.answer().has_value(); });
  const auto answer = prompt_.answer();
  prompt_.Withdraw();
  if (!answer) {
    return stopped_ || failed_ ? PromptAnswer{Kind::kStopped, prompt_.revision(), kStoppedErrors}
                               : PromptAnswer{Kind::kTimeout, prompt_.revision(), kTimeoutErrors};
  }
  if (answer->kind == PromptExchange::Answer::Kind::kRejected) {
    return {Kind::kRejected, answer->revision, answer->errors};
  }
  if (AwaitOlder(lock, answer->revision, deadline) == Older::kUntaken) {
    return {Kind::kTimeout, answer->revision, kUntakenErrors};
  }
  return {Kind::kApplied, answer->revision, {}};
}

// Until nothing that was made before `revision` was applied can still come out.
FilterEngine::Older FilterEngine::AwaitOlder(std::unique_lock<std::mutex>& lock,
                                             std::uint64_t revision, SteadyTime deadline) {
  const std::uint64_t worker = applied_losses_;
  // What is finished leaves in its own time.
  changed_.wait_for(lock, options_.publish_wait,
                    [&] { return stopped_ || losses_ != worker || !line_.HoldsOlder(revision); });
  // Another lent worker counts its revisions on its own.
  losses_ == worker ? line_.RaiseFloor(revision) : line_.DropOlder(revision);
  // What downstream is just taking has left the line, and would come out after our answer.
  const std::uint64_t under_way = pushes_;
  const bool taken = changed_.wait_until(lock, deadline, [&] {
    return stopped_ || !pushing_ || pushes_ != under_way || !PushingOlder();
  });
  return taken ? Older::kTaken : Older::kUntaken;
}

// Whether the result that is being pushed was made before the last prompt was applied.
bool FilterEngine::PushingOlder() const {
  return pushing_revision_ &&
         (losses_ != applied_losses_ || *pushing_revision_ < prompt_.revision());
}

void FilterEngine::Lend(PacketSocket socket) {
  const std::lock_guard lock(mutex_);
  seat_.Lend(std::move(socket));
  wake_->Notify();
}

bool FilterEngine::prompt_changed() const {
  const std::lock_guard lock(mutex_);
  return prompt_.current() != options_.prompt;
}

std::string FilterEngine::prompt() const {
  const std::lock_guard lock(mutex_);
  return prompt_.current();
}

void FilterEngine::Stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  changed_.notify_all();
  wake_->Notify();
}

FilterStats FilterEngine::Close() {
  {
    const std::lock_guard lock(mutex_);
    // Buffers downstream may outlive us; what the worker still holds must be droppable.
    if (attached_) attached_->Retire();
    line_.CloseAll();
  }
  FilterStats stats = Stats();
  stats.worker_pid = 0;
  stats.worker_state = WorkerState::kNone;
  return stats;
}

FilterStats FilterEngine::Stats() const {
  const std::lock_guard lock(mutex_);
  FilterStats stats = stats_;
  stats.account = line_.account();
  stats.line = line_.counters();
  stats.copied_in = copied_in_;
  stats.waiting = line_.waiting();
  stats.in_flight = line_.in_flight();
  stats.latency_p50 = latency_.Percentile(50);
  stats.latency_p95 = latency_.Percentile(95);
  stats.latency_p99 = latency_.Percentile(99);
  stats.service_p50 = line_.service().Percentile(50);
  stats.service_p99 = line_.service().Percentile(99);
  stats.cadence = line_.pace().cadence();
  stats.divisor = line_.pace().divisor();
  stats.budget = line_.pace().budget();
  const SteadyTime now = Now();
  stats.fps_in = inputs_.PerSecond(now);
  stats.fps_out = outputs_.PerSecond(now);
  stats.prompt_revision = prompt_.revision();
  stats.worker_pid = seat_.pid();
  stats.worker_restarts = seat_.restarts();
  stats.worker_state = prompt_.running()  ? WorkerState::kReady
                       : seat_.occupied() ? WorkerState::kStarting
                                          : WorkerState::kNone;
  return stats;
}

}  // namespace framelock::plugins
