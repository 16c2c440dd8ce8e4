// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

namespace framelock {

using SteadyTime = std::chrono::steady_clock::time_point;

/// Where time comes from, so that unit tests never sleep. Any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual SteadyTime Now() const = 0;

  /// The process's monotonic clock; lives for ever.
  static const Clock& System();
};

}  // namespace framelock
