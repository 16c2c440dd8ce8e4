// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>

namespace framelock::stream {

/// Says which frames must be keyframes, so that segments have the same length in time whatever
/// the frame rate does. Not thread-safe.
class KeyFrameCadence {
 public:
  using Pts = std::chrono::nanoseconds;

  explicit KeyFrameCadence(std::chrono::seconds interval) : interval_(interval) {}

  bool Due(Pts pts) {
    const bool on_grid = next_ && pts < *next_ + interval_ && pts >= *next_ - interval_;
    if (on_grid && pts < *next_) return false;
    // The next one is counted from the grid, not from this frame, so that rounding does not add up.
    next_ = (on_grid ? *next_ : pts) + interval_;
    return true;
  }

 private:
  Pts interval_;
  std::optional<Pts> next_;
};

}  // namespace framelock::stream
