// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "pipeline/core/clock.h"

namespace framelock {

// A clock that stands still until the test moves it.
class FakeClock final : public Clock {
 public:
  [[nodiscard]] SteadyTime Now() const override { return now_; }
  void Advance(std::chrono::nanoseconds by) { now_ += by; }

 private:
  SteadyTime now_{std::chrono::hours(1)};
};

}  // namespace framelock
