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
      seat_(std::make_unique<host::WorkerSeat>(options_.worker)),
      prompt_(options_.prompt),
      audio_(options_.audio) {}

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
  meters_.inputs.Tick(now);
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
  DropSoundTexts();
  flushing_ = ended_ = false;
  wake_->Notify();
  return events;
}

// The source pad's task ---------------------------------------------------------------------------

std::optional<FilterWork> FilterEngine::Next() {
  const std::lock_guard lock(mutex_);
  if (stopped_) return std::nullopt;  // and Wait() does not sleep any more
  wake_->Drain();
  while (auto event = seat_->Next()) Handle(std::move(*event));
  audio_.CutSilence(Now());
  MoveOn();
  if (!notices_.empty()) {
    FilterWork notice = std::move(notices_.front());
    notices_.pop_front();
    return notice;
  }
  const SteadyTime now = Now();
  if (auto sound = audio_.Take(now)) return FilterWork(std::move(*sound));
  if (flow() != Flow::kOk) return std::nullopt;
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
  if (output->kind == Kind::kResult) {
    meters_.latency.Add(output->latency);
    for (std::string& text : std::exchange(sound_texts_, {})) {
      output->frame.texts.push_back(std::move(text));
    }
    stats_.texts += output->frame.texts.size();
  }
  if (output->kind != Kind::kEvent) meters_.outputs.Tick(now);
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
    for (const int fd : seat_->PollFds()) fds.push_back({fd, POLLIN, 0});
    SteadyTime deadline = seat_->NextDeadline();
    if (standby_) {
      for (const int fd : standby_->PollFds()) fds.push_back({fd, POLLIN, 0});
      deadline = std::min(deadline, standby_->NextDeadline());
    }
    const auto line = line_.NextDeadline();
    if (line && flow() == Flow::kOk) deadline = std::min(deadline, *line);
    if (const auto sound = audio_.NextDeadline()) deadline = std::min(deadline, *sound);
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

void FilterEngine::Lend(PacketSocket socket) {
  const std::lock_guard lock(mutex_);
  seat_->Lend(std::move(socket));
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
  stats.audio = audio_.counts();
  stats.audio_length = audio_.length();
  stats.copied_in = copied_in_;
  stats.waiting = line_.waiting();
  stats.in_flight = line_.in_flight();
  stats.latency_p50 = meters_.latency.Percentile(50);
  stats.latency_p95 = meters_.latency.Percentile(95);
  stats.latency_p99 = meters_.latency.Percentile(99);
  stats.service_p50 = line_.service().Percentile(50);
  stats.service_p99 = line_.service().Percentile(99);
  stats.cadence = line_.pace().cadence();
  stats.divisor = line_.pace().divisor();
  stats.budget = line_.pace().budget();
  const SteadyTime now = Now();
  stats.fps_in = meters_.inputs.PerSecond(now);
  stats.fps_out = meters_.outputs.PerSecond(now);
  stats.prompt_revision = prompt_.revision();
  stats.worker_pid = seat_->pid();
  stats.worker_restarts = seat_->restarts();
  stats.worker_state = prompt_.running()   ? WorkerState::kReady
                       : seat_->occupied() ? WorkerState::kStarting
                                           : WorkerState::kNone;
  return stats;
}

}  // namespace framelock::plugins
