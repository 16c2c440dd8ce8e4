// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <optional>

#include "pipeline/core/clock.h"

namespace framelock {

/// The input's own clock, as far as arrivals show it: when a frame of a certain pts would arrive if
/// nothing held it up. That is the least of (arrival - pts) over the last seconds, followed
/// slowly, so that the clocks may drift; after a jump of the times, or a pause, it starts anew.
/// Plain logic: the owner brings the time, and locks.
class InputClock {
 public:
  using Duration = std::chrono::nanoseconds;

  /// A frame has arrived; when it was to be expected: never later, and little earlier.
  SteadyTime Arrived(Duration pts, SteadyTime now);
  /// The times to come have nothing to do with those before.
  void Restart() { offset_.reset(); }

 private:
  static constexpr std::size_t kSpans = 8;

  void Start(Duration offset, SteadyTime now);
  [[nodiscard]] Duration Least(Duration offset, SteadyTime now);

  std::optional<Duration> offset_;  // arrival - pts, smoothed
  SteadyTime last_{};
  std::array<Duration, kSpans> least_{};  // of each span of the last seconds, in a ring
  std::size_t span_ = 0;
  SteadyTime span_began_{};
};

}  // namespace framelock
