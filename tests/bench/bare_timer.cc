// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/bare_timer.h"

#include <utility>

#include "pipeline/core/clock.h"

namespace framelock::bench {

BareTimer::BareTimer(std::chrono::duration<double> interval)
    : thread_([this, interval](const std::stop_token& stop) { Run(stop, interval); }) {}

Distribution BareTimer::Stop() {
  thread_.request_stop();
  thread_.join();
  return std::move(intervals_);
}

void BareTimer::Run(const std::stop_token& stop, std::chrono::duration<double> interval) {
  const SteadyTime start = std::chrono::steady_clock::now();
  SteadyTime last = start;
  for (int wake = 1; !stop.stop_requested(); ++wake) {
    std::this_thread::sleep_until(start + wake * interval);
    const SteadyTime now = std::chrono::steady_clock::now();
    intervals_.Add(std::chrono::duration<double>(now - last).count());
    last = now;
  }
}

}  // namespace framelock::bench
