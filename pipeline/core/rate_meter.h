// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <deque>

#include "pipeline/core/clock.h"

namespace framelock {

/// Events per second over a sliding window (at most kMaxEvents of them). Not thread-safe.
class RateMeter {
 public:
  static constexpr std::size_t kMaxEvents = 1024;

  explicit RateMeter(std::chrono::nanoseconds window = std::chrono::seconds(2)) : window_(window) {}

  void Tick(SteadyTime now);
  /// Rate of the intervals inside the window; 0 once the last event is older than the window.
  [[nodiscard]] double PerSecond(SteadyTime now) const;

 private:
  std::chrono::nanoseconds window_;
  std::deque<SteadyTime> events_;
};

}  // namespace framelock
