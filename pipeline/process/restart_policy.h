// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <random>
#include <vector>

#include "pipeline/core/clock.h"

namespace framelock::process {

/// When to start a crashed process again: at once, then with longer and longer pauses between two
/// starts, so that one that ran for longer than its pause is started at once; never more than
/// max_restarts within the window, after which the policy gives up for good. A run of `healthy`
/// length forgets the past. Pure: the caller brings the time. Not thread-safe.
class RestartPolicy {
 public:
  struct Options {
    std::vector<std::chrono::milliseconds> back_off = {
        std::chrono::milliseconds(0),    std::chrono::milliseconds(250),
        std::chrono::milliseconds(500),  std::chrono::milliseconds(1000),
        std::chrono::milliseconds(2000), std::chrono::milliseconds(4000)};  // the last one repeats
    double jitter = 0.2;  // each pause is multiplied by 1 +- this, so that crowds spread
    std::size_t max_restarts = 5;
    std::chrono::milliseconds window{60'000};
    std::chrono::milliseconds healthy{60'000};
    std::optional<std::uint32_t> seed;  // of the jitter; unset: random
  };

  explicit RestartPolicy(Options options);
  RestartPolicy() : RestartPolicy(Options{}) {}

  /// The process runs since `now`.
  void OnStarted(SteadyTime now);

  /// It ended, or could not be started. How long to wait before the next start; nullopt: given up.
  std::optional<std::chrono::nanoseconds> OnEnded(SteadyTime now);

  [[nodiscard]] bool given_up() const { return given_up_; }
  /// Restarts granted since the last healthy run.
  [[nodiscard]] std::size_t restarts() const { return restarts_; }

  /// Forgets everything: somebody asked to try again.
  void Reset();

 private:
  std::chrono::nanoseconds Pause();

  Options options_;
  std::minstd_rand random_;
  std::optional<SteadyTime> started_;
  std::deque<SteadyTime> recent_;  // restarts granted within the window
  std::size_t restarts_ = 0;
  bool given_up_ = false;
};

}  // namespace framelock::process
