// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>

#include "pipeline/core/clock.h"
#include "pipeline/core/latency_window.h"

namespace framelock::plugins {

/// Whether a worker answers at all: it has stalled when frames come in and none was answered for
/// the stall time. One that is slow but steady has not: at least twice its median service time
/// counts. Plain logic: the owner brings the time, and locks.
class StallWatch {
 public:
  explicit StallWatch(std::chrono::nanoseconds least) : least_(least), limit_(least) {}

  /// A frame that should be answered has come in.
  void Fed(SteadyTime now) {
    if (!hungry_since_) hungry_since_ = now;
  }
  /// A new worker, or a stream that starts anew, has the whole time.
  void Reset() { hungry_since_.reset(); }
  void Answered(SteadyTime submitted, SteadyTime now) {
    hungry_since_.reset();
    service_.Add(now - Begun(submitted));
    limit_ = std::max(least_, 2 * service_.Percentile(50));
  }
  /// The answers to come are another graph's, whose frames may take another time, from now on.
  void ChangeGraph(SteadyTime now) {
    graph_since_ = now;
    ChangeWorker();
  }
  void ChangeWorker() {
    service_.Clear();
    limit_ = least_;
  }
  /// When the worker could begin with a frame: what was submitted while the graph was loaded
  /// waited for it first.
  [[nodiscard]] SteadyTime Begun(SteadyTime submitted) const {
    return std::max(submitted, graph_since_);
  }
  [[nodiscard]] bool Stalled(SteadyTime now) const {
    return hungry_since_ && now - *hungry_since_ >= limit_;
  }
  [[nodiscard]] const LatencyWindow& service() const { return service_; }

 private:
  const std::chrono::nanoseconds least_;
  std::chrono::nanoseconds limit_;
  std::optional<SteadyTime> hungry_since_;  // first input since the last answer
  SteadyTime graph_since_{};
  LatencyWindow service_{64};
};

}  // namespace framelock::plugins
