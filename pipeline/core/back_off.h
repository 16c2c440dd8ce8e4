// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <random>

#include "pipeline/core/clock.h"

namespace framelock {

/// How long to wait before the next attempt, and since when nothing has worked. Each wait is
/// shortened by up to a quarter, at random, so that those who lost the same server do not all come
/// back at once. Not thread-safe.
class BackOff {
 public:
  struct Options {
    std::chrono::milliseconds initial;
    std::chrono::milliseconds longest;
    std::chrono::milliseconds give_up_after;  // zero: never
  };

  explicit BackOff(Options options, std::uint32_t seed = std::random_device{}())
      : options_(options), random_(seed) {}

  /// The time to give up counts from here, though nothing has failed yet.
  void Begin(SteadyTime now) { failing_since_ = now; }

  /// Notes a failure: the time of the next attempt, nullopt when it is time to give up.
  std::optional<SteadyTime> Failed(SteadyTime now) {
    if (!failing_since_) failing_since_ = now;
    const auto failing = now - *failing_since_;
    if (options_.give_up_after.count() > 0 && failing >= options_.give_up_after) {
      return std::nullopt;
    }
    delay_ = std::min(delay_ ? *delay_ * 2 : options_.initial, options_.longest);
    const std::chrono::microseconds longest = *delay_;
    std::uniform_int_distribution<std::int64_t> less(0, longest.count() / 4);
    return now + longest - std::chrono::microseconds(less(random_));
  }

  void Succeeded() {
    delay_.reset();
    failing_since_.reset();
  }

 private:
  Options options_;
  std::minstd_rand random_;
  std::optional<std::chrono::milliseconds> delay_;
  std::optional<SteadyTime> failing_since_;
};

}  // namespace framelock
