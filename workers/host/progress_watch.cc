// SPDX-License-Identifier: Apache-2.0
#include "workers/host/progress_watch.h"

#include <algorithm>

namespace framelock::host {

namespace {

std::string Milliseconds(std::chrono::nanoseconds time) {
  using std::chrono::milliseconds;
  return std::to_string(std::chrono::duration_cast<milliseconds>(time).count()) + " ms";
}

}  // namespace

ProgressWatch::ProgressWatch(const Options& options)
    : options_(options), service_times_(options.window) {}

void ProgressWatch::OnLoadingStarted(SteadyTime now) { loading_.push_back(now); }

void ProgressWatch::OnLoadingEnded(SteadyTime now) {
  OnLoadingRefused(now);
  service_times_.Clear();
}

void ProgressWatch::OnLoadingRefused(SteadyTime now) {
  if (!loading_.empty()) loading_.pop_front();
  last_progress_ = std::max(last_progress_, now);
}

void ProgressWatch::OnSubmitted(FrameSequence sequence, SteadyTime now) {
  submitted_.emplace(sequence, now);
}

void ProgressWatch::OnCompleted(FrameSequence sequence, SteadyTime now) {
  const auto it = submitted_.find(sequence);
  if (it == submitted_.end()) return;
  service_times_.Add(now - ServiceStart(it->second));
  submitted_.erase(it);
  last_progress_ = std::max(last_progress_, now);
}

void ProgressWatch::OnFailed(FrameSequence sequence, SteadyTime now) {
  if (submitted_.erase(sequence) > 0) last_progress_ = std::max(last_progress_, now);
}

void ProgressWatch::Reset() {
  submitted_.clear();
  service_times_.Clear();
  loading_.clear();
}

Verdict ProgressWatch::Judge(SteadyTime now,
                             std::optional<std::chrono::nanoseconds> heartbeat_age) const {
  if (heartbeat_age && *heartbeat_age >= options_.heartbeat_timeout)
    return Verdict::kHeartbeatStale;
  const auto frame = submitted_.begin();
  const bool frame_first =
      frame != submitted_.end() && (loading_.empty() || frame->second < loading_.front());
  if (frame_first) {
    return now - ServiceStart(frame->second) >= FrameDeadline() ? Verdict::kFrameOverdue
                                                                : Verdict::kFine;
  }
  if (loading_.empty()) return Verdict::kFine;
  return now - ServiceStart(loading_.front()) >= options_.load_timeout ? Verdict::kLoadingOverdue
                                                                       : Verdict::kFine;
}

std::string ProgressWatch::Explain(Verdict verdict) const {
  const bool first = service_times_.size() == 0;
  const bool by_first_frame_timeout =
      AmongTheFirst() && FrameDeadline() == options_.first_frame_timeout;
  switch (verdict) {
    case Verdict::kHeartbeatStale:
      return "its heartbeat stood still for " + Milliseconds(options_.heartbeat_timeout) +
             " (heartbeat-timeout)";
    case Verdict::kFrameOverdue:
      return std::string(first ? "the first frame" : "a frame") + " took more than " +
             Milliseconds(FrameDeadline()) +
             (by_first_frame_timeout ? " (first-frame-timeout)"
                                     : " (frame-timeout and its factor)");
    case Verdict::kLoadingOverdue:
      return "a greeting, prompt or format took more than " + Milliseconds(options_.load_timeout) +
             " (load-timeout)";
    case Verdict::kFine:
      break;
  }
  return "fine";
}

std::chrono::nanoseconds ProgressWatch::FrameDeadline() const {
  const auto least = AmongTheFirst()
                         ? std::max(options_.frame_timeout, options_.first_frame_timeout)
                         : options_.frame_timeout;
  return std::max<std::chrono::nanoseconds>(
      least, service_times_.Percentile(95) * options_.frame_timeout_factor);
}

bool ProgressWatch::AmongTheFirst() const {
  return service_times_.size() < std::clamp<std::size_t>(options_.window, 1, kFirstFrames);
}

SteadyTime ProgressWatch::ServiceStart(SteadyTime sent) const {
  return std::max(sent, last_progress_);
}

}  // namespace framelock::host
