// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <random>

namespace framelock::nodes {

/// How long each frame takes in a worker that is as uneven as a real one: evenly spread around a
/// mean, and now and then a pause. The same seed gives the same times on every machine.
class ServiceTimes {
 public:
  using Seconds = std::chrono::duration<double>;
  struct Options {
    Seconds mean{0};
    double noise = 0;            // 0.3: between 0.7 and 1.3 of the mean
    std::uint32_t seed = 0;      // of the noise
    std::int64_t pause_at = -1;  // the frame, from 0, that takes `pause` longer; negative: none
    Seconds pause{0};
  };

  explicit ServiceTimes(const Options& options) : options_(options), random_(options.seed) {}

  /// Of the next frame.
  Seconds Next() {
    // The standard fixes what the engine gives, not what a distribution makes of it.
    const double even = static_cast<double>(random_()) / static_cast<double>(random_.max());
    const Seconds time = options_.mean * (1.0 + options_.noise * (2.0 * even - 1.0));
    return frame_++ == options_.pause_at ? time + options_.pause : time;
  }

 private:
  Options options_;
  std::mt19937 random_;
  std::int64_t frame_ = 0;
};

}  // namespace framelock::nodes
