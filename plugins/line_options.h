// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>

#include "pipeline/core/bounded_queue.h"
#include "plugins/cadence.h"
#include "plugins/line_frame.h"

namespace framelock::plugins {

/// What a FrameLine is made with.
struct LineOptions {
  std::size_t max_in_flight = 1;
  FullPolicy full_policy = FullPolicy::kDropOldest;  // or kBlock
  OnMissing on_missing = OnMissing::kPassthrough;
  /// A worker that is slow but steady is no stall: at least twice its median service time counts.
  std::chrono::nanoseconds stall_timeout = std::chrono::milliseconds(200);
  /// A frame that could not be submitted for so long makes way for what is behind it (kDropOldest
  /// only); so an end of stream never waits for a worker that does not come.
  std::chrono::nanoseconds max_wait = std::chrono::seconds(1);
  Cadence cadence = Cadence::kSteady;  // kDropOldest only
  Release release = Release::kEven;
  std::optional<std::chrono::nanoseconds> latency;  // see Pace
  std::size_t max_places = 16;                      // of kEvery; then the first one leaves
};

/// Results that are finished and wait for their time: one, or with kEvery those of the given
/// latency at 60 frames a second, the most that a stream may have.
[[nodiscard]] inline std::size_t MostHeld(const LineOptions& options) {
  const bool every =
      options.cadence == Cadence::kEvery && options.full_policy != FullPolicy::kBlock;
  if (!every || !options.latency) return 1;
  const auto frames = static_cast<std::size_t>(*options.latency * 60 / std::chrono::seconds(1));
  return std::clamp<std::size_t>(frames, 1, std::max<std::size_t>(1, options.max_places));
}

}  // namespace framelock::plugins
