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
  if (!loading_.empty()) {
    if (prompt_ && loading_.front() < prompt_->sent) prompt_->at_hand = now;
    loading_.pop_front();
  }
  last_progress_ = std::max(last_progress_, now);
  service_times_.Clear();
}

void ProgressWatch::OnPromptSent(SteadyTime now) { prompt_ = Prompt{now, now}; }

void ProgressWatch::OnPromptApplied(SteadyTime now) {
  OnPromptRejected(now);
  service_times_.Clear();
}

void ProgressWatch::OnPromptRejected(SteadyTime now) {
  prompt_.reset();
  last_progress_ = std::max(last_progress_, now);
}

void ProgressWatch::OnSubmitted(FrameSequence sequence, SteadyTime now) {
  submitted_.emplace(sequence, now);
}

void ProgressWatch::OnCompleted(FrameSequence sequence, SteadyTime now) {
  if (const auto began = Answered(sequence, now)) service_times_.Add(now - *began);
}

void ProgressWatch::OnFailed(FrameSequence sequence, SteadyTime now) { Answered(sequence, now); }

void ProgressWatch::OnAudioSubmitted(SteadyTime now) { audio_.push_back(now); }

void ProgressWatch::OnAudioAnswered(SteadyTime now) {
  if (audio_.empty()) return;
  NoteAnswer(audio_.front(), now);
  audio_.pop_front();
}

// When the worker began with the frame; nullopt: it is unknown.
std::optional<SteadyTime> ProgressWatch::Answered(FrameSequence sequence, SteadyTime now) {
  const auto it = submitted_.find(sequence);
  if (it == submitted_.end()) return std::nullopt;
  const SteadyTime sent = it->second;
  const SteadyTime began = ServiceStart(sent);
  submitted_.erase(it);
  NoteAnswer(sent, now);
  return began;
}

// To a frame or a piece of audio that was sent then.
void ProgressWatch::NoteAnswer(SteadyTime sent, SteadyTime now) {
  last_progress_ = std::max(last_progress_, now);
  if (prompt_ && sent > prompt_->sent) {
    loads_beside_frames_ = true;
  } else if (prompt_) {
    prompt_->at_hand = now;
  }
}

void ProgressWatch::Reset() {
  submitted_.clear();
  audio_.clear();
  service_times_.Clear();
  loading_.clear();
  prompt_.reset();
  loads_beside_frames_ = false;
}

Verdict ProgressWatch::Judge(SteadyTime now,
                             std::optional<std::chrono::nanoseconds> heartbeat_age) const {
  if (heartbeat_age && *heartbeat_age >= options_.heartbeat_timeout)
    return Verdict::kHeartbeatStale;
  if (PromptOverdue(now)) return Verdict::kLoadingOverdue;
  const auto frame = submitted_.begin();
  if (!audio_.empty() && (frame == submitted_.end() || audio_.front() < frame->second) &&
      (loading_.empty() || audio_.front() < loading_.front())) {
    const bool late =
        !WaitsForPrompt(audio_.front()) && now - ServiceStart(audio_.front()) >= AudioDeadline();
    return late ? Verdict::kAudioOverdue : Verdict::kFine;
  }
  const bool frame_first =
      frame != submitted_.end() && (loading_.empty() || frame->second < loading_.front());
  if (frame_first) {
    const bool late =
        !WaitsForPrompt(frame->second) && now - ServiceStart(frame->second) >= FrameDeadline();
    return late ? Verdict::kFrameOverdue : Verdict::kFine;
  }
  if (loading_.empty()) return Verdict::kFine;
  return now - ServiceStart(loading_.front()) >= options_.load_timeout ? Verdict::kLoadingOverdue
                                                                       : Verdict::kFine;
}

bool ProgressWatch::PromptOverdue(SteadyTime now) const {
  if (!prompt_) return false;
  const bool behind_others = (!submitted_.empty() && submitted_.begin()->second < prompt_->sent) ||
                             (!audio_.empty() && audio_.front() < prompt_->sent) ||
                             (!loading_.empty() && loading_.front() < prompt_->sent);
  return !behind_others && now - prompt_->at_hand >= options_.load_timeout;
}

bool ProgressWatch::WaitsForPrompt(SteadyTime sent) const {
  return prompt_ && !loads_beside_frames_ && sent >= prompt_->sent;
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
    case Verdict::kAudioOverdue:
      return "a piece of audio took more than " + Milliseconds(AudioDeadline()) +
             " (first-frame-timeout)";
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

// A piece may last for seconds, and nobody knows how long a graph takes for it.
std::chrono::nanoseconds ProgressWatch::AudioDeadline() const {
  return std::max(options_.frame_timeout, options_.first_frame_timeout);
}

bool ProgressWatch::AmongTheFirst() const {
  return service_times_.size() < std::clamp<std::size_t>(options_.window, 1, kFirstFrames);
}

SteadyTime ProgressWatch::ServiceStart(SteadyTime sent) const {
  return std::max(sent, last_progress_);
}

}  // namespace framelock::host
