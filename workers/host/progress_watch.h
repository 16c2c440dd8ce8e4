// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>

#include "pipeline/core/clock.h"
#include "pipeline/core/frame_sequence.h"
#include "pipeline/core/latency_window.h"

namespace framelock::host {

/// What the watch thinks of a worker. Everything but kFine means: replace it.
enum class Verdict : std::uint8_t {
  kFine,
  kHeartbeatStale,  // its heartbeat stands still: stopped, or the machine is overloaded
  kFrameOverdue,    // it lives, but the frame at hand takes far longer than frames do
  kAudioOverdue,    // the same of the piece of audio at hand
  kLoadingOverdue,  // greeting, prompt or attach not answered in time
};

/// Judges progress, not liveness. A frame's service time counts from its submission or from the
/// previous answer, whichever is later, so that a deep queue makes nobody late. A frame has
/// max(frame_timeout, frame_timeout_factor x rolling p95), but what a graph needs is only known
/// once it has computed a few, since the second or third may still warm it up: the first
/// kFirstFrames after each prompt and region have at least first_frame_timeout, which a stopped
/// process never sees, since its heartbeat stands still. A greeting, region or prompt has
/// load_timeout, since models may be loading; a piece of audio first_frame_timeout, or
/// frame_timeout if that is more. Greetings, regions, frames and audio are answered in order, so
/// only the first of them is judged. A prompt may be loaded beside the frames, and then both are
/// judged; but a worker may also answer frames only when the prompt before them is loaded. Which of
/// the two it does shows when a frame behind a prompt is answered first; until then such frames are
/// not held against it. Pure: the caller brings the time. Not thread-safe.
class ProgressWatch {
 public:
  struct Options {
    std::chrono::milliseconds heartbeat_timeout{750};
    std::chrono::milliseconds first_frame_timeout{10'000};  // at least frame_timeout counts
    std::chrono::milliseconds frame_timeout{1000};
    std::size_t frame_timeout_factor = 8;
    std::chrono::milliseconds load_timeout{180'000};
    std::size_t window = 256;  // service times that the p95 is taken from
  };

  /// So many service times must be known before frame_timeout replaces first_frame_timeout.
  static constexpr std::size_t kFirstFrames = 5;

  explicit ProgressWatch(const Options& options);
  ProgressWatch() : ProgressWatch(Options{}) {}

  /// Greeting or attach was sent, and the eldest of them was answered.
  void OnLoadingStarted(SteadyTime now);
  void OnLoadingEnded(SteadyTime now);
  /// A prompt was sent, and answered; one at a time. If it was rejected, the graph stays what it
  /// was, and so does what is known of its frames.
  void OnPromptSent(SteadyTime now);
  void OnPromptApplied(SteadyTime now);
  void OnPromptRejected(SteadyTime now);

  void OnSubmitted(FrameSequence sequence, SteadyTime now);
  /// Unknown numbers are ignored (the client refuses them already).
  void OnCompleted(FrameSequence sequence, SteadyTime now);
  /// Answered without a result: progress, but it says nothing of what a frame takes.
  void OnFailed(FrameSequence sequence, SteadyTime now);

  /// A piece of audio was sent, and the eldest of them was answered.
  void OnAudioSubmitted(SteadyTime now);
  void OnAudioAnswered(SteadyTime now);

  /// A fresh worker: forgets everything.
  void Reset();

  /// `heartbeat_age`: nullopt before the worker's Welcome (it has no control page yet).
  [[nodiscard]] Verdict Judge(SteadyTime now,
                              std::optional<std::chrono::nanoseconds> heartbeat_age) const;

  /// The verdict in words, with the option that bounds it and its value.
  [[nodiscard]] std::string Explain(Verdict verdict) const;

  /// What the next frame is given.
  [[nodiscard]] std::chrono::nanoseconds FrameDeadline() const;

 private:
  /// Whether first_frame_timeout counts for the frame at hand.
  [[nodiscard]] bool AmongTheFirst() const;
  /// Since when the worker has had at hand what was sent at `sent`, if nothing is before it.
  [[nodiscard]] SteadyTime ServiceStart(SteadyTime sent) const;
  [[nodiscard]] bool PromptOverdue(SteadyTime now) const;
  [[nodiscard]] bool WaitsForPrompt(SteadyTime sent) const;
  void NoteAnswer(SteadyTime sent, SteadyTime now);
  [[nodiscard]] std::chrono::nanoseconds AudioDeadline() const;
  std::optional<SteadyTime> Answered(FrameSequence sequence, SteadyTime now);

  Options options_;
  LatencyWindow service_times_;
  std::map<FrameSequence, SteadyTime> submitted_;
  std::deque<SteadyTime> audio_;    // when each piece was sent; the client bounds them
  SteadyTime last_progress_{};      // latest answer of any kind
  std::deque<SteadyTime> loading_;  // when each was sent; the client bounds how many there are
  struct Prompt {
    SteadyTime sent;
    SteadyTime at_hand;  // what was sent before it is answered
  };
  std::optional<Prompt> prompt_;
  bool loads_beside_frames_ = false;  // this worker has shown that it does
};

}  // namespace framelock::host
