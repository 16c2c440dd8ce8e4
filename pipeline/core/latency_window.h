// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <vector>

namespace framelock {

/// The last N durations and their percentiles. Add is O(1); Percentile sorts a copy. Not
/// thread-safe; the owner locks.
class LatencyWindow {
 public:
  using Duration = std::chrono::nanoseconds;

  explicit LatencyWindow(std::size_t capacity = 256);

  void Add(Duration value);
  void Clear();
  [[nodiscard]] std::size_t size() const { return values_.size(); }

  /// The value below which `percent` (0..100) of the window lies; zero while it is empty.
  [[nodiscard]] Duration Percentile(double percent) const;

 private:
  std::size_t capacity_;
  std::size_t next_ = 0;
  std::vector<Duration> values_;
};

}  // namespace framelock
