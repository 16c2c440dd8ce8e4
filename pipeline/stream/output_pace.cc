// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stream/output_pace.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "pipeline/stream/running_time.h"

namespace framelock::stream {

namespace {

using namespace std::chrono_literals;

// The longest wait of a frame that nothing speaks for: one of an older graph, or one whose like is
// not known yet. A prompt is answered when what was made before has left (Departures).
constexpr OutputPace::Time kSoon = 100ms;

struct Watched {
  OutputPace* pace;
  OutputPace::Step step;
};

GstPadProbeReturn OnBuffer(GstPad* pad, GstPadProbeInfo* info, gpointer data) {
  const auto* watched = static_cast<const Watched*>(data);
  const auto time = RunningTime(pad, GST_PAD_PROBE_INFO_BUFFER(info));
  if (!time) return GST_PAD_PROBE_OK;
  const SteadyTime now = Clock::System().Now();
  switch (watched->step) {
    case OutputPace::Step::kArrived:
      watched->pace->OnArrived(*time, now);
      break;
    case OutputPace::Step::kMade:
      watched->pace->OnMade(*time, now);
      break;
    case OutputPace::Step::kEncoded:
      watched->pace->OnEncoded(*time, now);
      break;
    case OutputPace::Step::kAwait:
      watched->pace->Await(*time);
      break;
  }
  return GST_PAD_PROBE_OK;
}

}  // namespace

void OutputPace::OnArrived(Time frame, SteadyTime now) {
  const std::lock_guard lock(mutex_);
  frames_[frame] = {.arrived = now, .expected = clock_.Arrived(frame, now), .made = {}, .due = {}};
  if (frames_.size() > kMaxFrames) frames_.erase(frames_.begin());
  const auto before = std::exchange(last_arrival_, now);
  if (before && now - *before <= std::max(kGap, kGapIntervals * interval_)) return;
  settling_ = kSettling;
  forget_at_ = now + kSettlingStep;
}

void OutputPace::OnMade(Time frame, SteadyTime now) {
  const std::lock_guard lock(mutex_);
  if (Frame* found = Find(frame)) found->made = now;
}

void OutputPace::OnEncoded(Time frame, SteadyTime now) {
  const std::lock_guard lock(mutex_);
  Measure(frame);
  Frame* found = Find(frame);
  if (found == nullptr || !found->made) return;
  if (settling_ > 0 && now >= forget_at_) {
    --settling_;
    forget_at_ = now + kSettlingStep;
    hold_.Clear();
  }
  hold_.Add({.whole = now - found->expected, .service = *found->made - found->arrived}, interval_,
            now);
  found->due = found->expected + hold_.OfOne(interval_);
  if (hold_.typical()) return;
  // A given latency may be far more than there is room for; the frames behind would be skipped.
  const Time most = interval_ > 0ns ? std::min(interval_, kSoon) : kSoon;
  found->due = std::min(*found->due, now + most);
}

std::optional<SteadyTime> OutputPace::Due(Time frame) {
  const std::lock_guard lock(mutex_);
  const Frame* found = Find(frame);
  return found == nullptr ? std::nullopt : found->due;
}

void OutputPace::Forget() {
  const SteadyTime soon = Clock::System().Now() + kSoon;
  const std::lock_guard lock(mutex_);
  hold_.Clear();
  for (auto& [time, frame] : frames_) {
    if (frame.due) frame.due = std::min(*frame.due, soon);
  }
  changed_.notify_all();
}

void OutputPace::Await(Time frame) {
  std::unique_lock lock(mutex_);
  while (!stopped_) {
    const Frame* found = Find(frame);
    if (found == nullptr || !found->due) return;
    const SteadyTime due = *found->due;
    if (Clock::System().Now() >= due) return;
    changed_.wait_until(lock, due);
  }
}

void OutputPace::Stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  changed_.notify_all();
}

void OutputPace::Watch(GstPad* pad, Step step) {
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, OnBuffer, new Watched{this, step},
                    [](gpointer data) { delete static_cast<Watched*>(data); });
}

OutputPace::Time OutputPace::budget() const {
  const std::lock_guard lock(mutex_);
  return hold_.OfOne(interval_);
}

OutputPace::Frame* OutputPace::Find(Time frame) {
  const auto found = frames_.lower_bound(frame - kSameFrame);
  return found == frames_.end() || found->first > frame + kSameFrame ? nullptr : &found->second;
}

// The usual time from one published frame to the next.
void OutputPace::Measure(Time frame) {
  const auto before = std::exchange(last_, frame);
  if (!before || frame <= *before) return;
  deltas_.push_back(frame - *before);
  if (deltas_.size() > kDeltas) deltas_.pop_front();
  std::vector<Time> sorted(deltas_.begin(), deltas_.end());
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
  std::nth_element(sorted.begin(), middle, sorted.end());
  interval_ = *middle;
}

}  // namespace framelock::stream
