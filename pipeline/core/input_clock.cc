// SPDX-License-Identifier: Apache-2.0
#include "pipeline/core/input_clock.h"

#include <algorithm>
#include <utility>

namespace framelock {

namespace {

using namespace std::chrono_literals;

constexpr InputClock::Duration kSpan = 250ms;  // of which the last 8 count
constexpr InputClock::Duration kJump = 250ms;  // further off than that, it is another clock
constexpr InputClock::Duration kStep = 20ms;   // further early than that, it is followed at once
constexpr int kRise = 100;                     // 1 % of the time that passes
constexpr int kFall = 20;                      // 5 %

}  // namespace

SteadyTime InputClock::Arrived(Duration pts, SteadyTime now) {
  const Duration offset = now.time_since_epoch() - pts;
  if (!offset_ || offset - *offset_ > kJump || *offset_ - offset > kJump) {
    Start(offset, now);
    return now;
  }
  const Duration passed = now - std::exchange(last_, now);
  const Duration error = Least(offset, now) - *offset_;
  if (error < -kStep) {
    *offset_ += error;
  } else {
    *offset_ += std::clamp<Duration>(error, -passed / kFall, passed / kRise);
  }
  return std::min(now, SteadyTime(*offset_ + pts));
}

void InputClock::Start(Duration offset, SteadyTime now) {
  offset_ = offset;
  least_.fill(offset);
  span_began_ = last_ = now;
}

InputClock::Duration InputClock::Least(Duration offset, SteadyTime now) {
  if (now - span_began_ >= kSpan) {
    span_ = (span_ + 1) % kSpans;
    least_[span_] = offset;
    span_began_ = now;
  } else {
    least_[span_] = std::min(least_[span_], offset);
  }
  return *std::min_element(least_.begin(), least_.end());
}

}  // namespace framelock
