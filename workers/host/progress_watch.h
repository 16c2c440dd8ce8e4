// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>

#include "pipeline/core/clock.h"
#include "pipeline/core/frame_sequence.h"
#include "pipeline/core/latency_window.h"

namespace framelock::host {

/// What the watch thinks of a worker. Everything but kFine means: replace it.
enum class Verdict : std::uint8_t {
  kFine,
  kHeartbeatStale,  // its heartbeat stands still: stopped, or the machine is overloaded
  kFrameOverdue,    // it lives, but the frame at hand takes far longer than frames do
  kLoadingOverdue,  // greeting, prompt or attach not answered in time
};

/// "heartbeat stale", ...
const char* VerdictText(Verdict verdict);

/// Judges progress, not liveness. A frame's service time counts from its submission or from the
/// previous answer, whichever is later, so that a deep queue makes nobody late; its deadline is
/// max(min_frame_deadline, frame_factor x rolling p95). While a greeting, prompt or region is
/// being answered only loading_deadline counts: models may be loading, and frames wait behind it.
/// Pure: the caller brings the time. Not thread-safe.
class ProgressWatch {
 public:
  struct Options {
    std::chrono::nanoseconds heartbeat_stale = std::chrono::milliseconds(750);
    std::chrono::nanoseconds min_frame_deadline = std::chrono::seconds(1);
    double frame_factor = 8;
    std::chrono::nanoseconds loading_deadline = std::chrono::seconds(180);
    std::size_t window = 256;  // service times that the p95 is taken from
  };

  explicit ProgressWatch(const Options& options);
  ProgressWatch() : ProgressWatch(Options{}) {}

  /// Greeting, prompt or attach was sent, and was answered. They may overlap; each is counted.
  void OnLoadingStarted(SteadyTime now);
  void OnLoadingEnded(SteadyTime now);

  void OnSubmitted(FrameSequence sequence, SteadyTime now);
  /// Unknown numbers are ignored (the client refuses them already).
  void OnCompleted(FrameSequence sequence, SteadyTime now);

  /// A fresh worker: forgets frames and loading, keeps the window.
  void Reset();

  /// `heartbeat_age`: nullopt before the worker's Welcome (it has no control page yet).
  [[nodiscard]] Verdict Judge(SteadyTime now,
                              std::optional<std::chrono::nanoseconds> heartbeat_age) const;

  /// What the next frame is given.
  [[nodiscard]] std::chrono::nanoseconds FrameDeadline() const;

 private:
  [[nodiscard]] SteadyTime ServiceStart(SteadyTime submitted) const;

  Options options_;
  LatencyWindow service_times_;
  std::map<FrameSequence, SteadyTime> submitted_;
  SteadyTime last_progress_{};  // latest answer of any kind
  std::size_t loading_ = 0;
  SteadyTime loading_since_{};
};

}  // namespace framelock::host
