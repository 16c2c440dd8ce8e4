// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <stop_token>
#include <thread>

#include "tests/bench/distribution.h"

namespace framelock::bench {

/// A thread that wakes at even times and does nothing: how even anything can be on this machine.
class BareTimer {
 public:
  explicit BareTimer(std::chrono::duration<double> interval);
  BareTimer(const BareTimer&) = delete;
  BareTimer& operator=(const BareTimer&) = delete;

  /// Once: the intervals from one waking to the next, in seconds.
  Distribution Stop();

 private:
  void Run(const std::stop_token& stop, std::chrono::duration<double> interval);

  Distribution intervals_;
  std::jthread thread_;
};

}  // namespace framelock::bench
