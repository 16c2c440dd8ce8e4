// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <utility>

namespace framelock::stream {

/// Gives an access unit without a pts the one that it must have, where that is certain: in a stream
/// whose pts have come in decoding order and in equal steps. Anywhere else it would be a guess, and
/// a picture would be shown under another one's time. Not thread-safe.
class PtsFill {
 public:
  using Pts = std::chrono::nanoseconds;

  /// Access units in decoding order. nullopt: its time is not certain.
  std::optional<Pts> Push(std::optional<Pts> pts) {
    if (!pts) return Infer();
    const int units = std::exchange(missing_, 0) + 1;
    const Pts step = (*pts - last_) / units;
    const bool equal = run_ > 0 && std::chrono::abs(step - step_) <= kRounding;
    if (!equal) {
      const bool begins = step > Pts(0) && units == 1;
      first_ = begins ? last_ : *pts;
      step_ = step;
      run_ = 0;
      if (begins) run_ = 1;
    } else {
      run_ += units;
    }
    last_ = *pts;
    return pts;
  }

 private:
  static constexpr int kProofs = 8;      // equal steps in a row
  static constexpr int kMaxMissing = 8;  // in a row; the picture rate may have changed meanwhile
  static constexpr Pts kRounding = std::chrono::nanoseconds(11'200);  // a 90 kHz tick

  std::optional<Pts> Infer() {
    ++missing_;
    if (run_ < kProofs || missing_ > kMaxMissing) return std::nullopt;
    return last_ + missing_ * (last_ - first_) / run_;
  }

  Pts first_{0}, last_{0};  // of the run of equal steps
  Pts step_{0};
  int run_ = 0;      // steps from first_ to last_
  int missing_ = 0;  // since last_
};

}  // namespace framelock::stream
