// SPDX-License-Identifier: Apache-2.0
#pragma once

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
  Cadence cadence = Cadence::kSteady;               // kDropOldest only
  std::optional<std::chrono::nanoseconds> latency;  // see Pace
  std::size_t max_places = 16;                      // of kEvery; then the first one leaves
};

}  // namespace framelock::plugins
