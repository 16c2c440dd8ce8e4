// SPDX-License-Identifier: Apache-2.0
#include "pipeline/core/clock.h"

namespace framelock {

namespace {

class SystemClock final : public Clock {
 public:
  [[nodiscard]] SteadyTime Now() const override { return std::chrono::steady_clock::now(); }
};

}  // namespace

const Clock& Clock::System() {
  static const SystemClock clock;
  return clock;
}

}  // namespace framelock
