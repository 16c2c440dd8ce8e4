// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <thread>

#include "pipeline/core/result.h"
#include "tests/bench/distribution.h"

namespace framelock::bench {

/// A frame as it crosses between two processes.
struct FrameShape {
  const char* name;
  std::uint32_t width;
  std::uint32_t height;
  std::uint32_t bytes_per_pixel;
  [[nodiscard]] std::size_t bytes() const { return std::size_t{width} * height * bytes_per_pixel; }
};

/// How a way across is measured: one frame at a time, with a pause in which both sides sleep, as
/// they do between the frames of a stream.
struct RoundTrips {
  FrameShape frame;
  std::chrono::nanoseconds run_time;
  static constexpr std::chrono::milliseconds kPause{1};
  static constexpr int kWarmUp = 10;  // not counted

  /// Calls `trip` again and again; how long each took, in microseconds.
  template <typename Trip>
  Result<Distribution> Measure(Trip trip) const {
    using std::chrono::steady_clock;
    Distribution times;
    const auto end = steady_clock::now() + run_time;
    for (int i = 0; i < 2 * kWarmUp || steady_clock::now() < end; ++i) {
      std::this_thread::sleep_for(kPause);
      const auto start = steady_clock::now();
      if (const Status done = trip(); !done) return done.error();
      const std::chrono::duration<double, std::micro> took = steady_clock::now() - start;
      if (i >= kWarmUp) times.Add(took.count());
    }
    return times;
  }
};

}  // namespace framelock::bench
