// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "pipeline/core/clock.h"

namespace framelock {

/// Counts losses and says when to log them: at most once per interval, with the number since the
/// last line. Not thread-safe.
class DropCounter {
 public:
  explicit DropCounter(std::chrono::nanoseconds interval = std::chrono::seconds(1))
      : interval_(interval) {}

  /// Adds drops. A value means: log now, with that many drops since the last line.
  std::optional<std::uint64_t> Add(SteadyTime now, std::uint64_t count = 1) {
    total_ += count;
    unreported_ += count;
    if (last_report_ && now - *last_report_ < interval_) return std::nullopt;
    last_report_ = now;
    const std::uint64_t report = unreported_;
    unreported_ = 0;
    return report;
  }

  [[nodiscard]] std::uint64_t total() const { return total_; }

 private:
  std::chrono::nanoseconds interval_;
  std::optional<SteadyTime> last_report_;
  std::uint64_t total_ = 0;
  std::uint64_t unreported_ = 0;
};

}  // namespace framelock
