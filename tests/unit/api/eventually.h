// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>

#include "pipeline/core/clock.h"
#include "pipeline/net/loop.h"

namespace framelock::api {

// Gives the loop turns until the predicate holds; false after five seconds.
inline net::Task<bool> Eventually(std::function<bool()> predicate) {
  const SteadyTime deadline = Clock::System().Now() + std::chrono::seconds(5);
  while (!predicate() && Clock::System().Now() < deadline) {
    co_await net::SleepFor(std::chrono::nanoseconds(0));
  }
  co_return predicate();
}

}  // namespace framelock::api
