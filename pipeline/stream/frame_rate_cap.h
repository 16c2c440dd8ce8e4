// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>

namespace framelock::stream {

/// Thins frames to at most `frames_per_second` by their pts alone: a frame is due once its pts
/// reaches the next slot; after a gap the slots start anew from the frame that ended it. Not
/// thread-safe.
class FrameRateCap {
 public:
  using Pts = std::chrono::nanoseconds;

  explicit FrameRateCap(int frames_per_second)
      : interval_(std::chrono::nanoseconds(std::chrono::seconds(1)) / frames_per_second) {}

  bool Keep(Pts pts) {
    const bool restarted = next_ && pts < *next_ - kRestart;  // the input's clock went back
    if (!next_ || restarted) next_ = pts;
    if (pts < *next_) return false;
    next_ = pts > *next_ + interval_ ? pts + interval_ : *next_ + interval_;
    return true;
  }

 private:
  static constexpr Pts kRestart = std::chrono::seconds(2);

  Pts interval_;
  std::optional<Pts> next_;
};

}  // namespace framelock::stream
