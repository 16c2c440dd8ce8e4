// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "pipeline/core/result.h"
#include "tests/bench/distribution.h"
#include "tests/bench/load_connection.h"

namespace framelock::bench {

/// Publishers and subscribers of one trickle server, all on one thread.
struct LoadOptions {
  /// How a client gets from one segment to the next.
  enum class Style {
    kPreconnect,  // two connections in turns, the next request sent while this one runs
    kReconnect,   // a new connection for each segment, made when the one before has ended
  };
  ServerAddress server;
  Style style = Style::kPreconnect;
  std::size_t channels = 1;
  std::size_t subscribers = 1;  // of each channel
  std::size_t chunk_bytes = 8 * 1024;
  std::chrono::nanoseconds chunk_interval{1'000'000'000 / 30};
  std::uint32_t chunks_per_segment = 30;
  std::uint32_t segments = 5;
};

/// What the subscribers saw. Times in milliseconds.
struct LoadFigures {
  Distribution write_to_read;      // of a chunk: from its write to its last byte's arrival
  Distribution first_chunk;        // the same, of each segment's first chunk only
  Distribution seam;               // from a segment's last byte to the next one's first
  std::uint64_t bytes = 0;         // of payload, all subscribers together
  double connects_per_minute = 0;  // once the first two segments are through
  bool kept_up = true;             // false: bytes were lost, or came too late to be waited for
};

/// Each chunk carries its time and its place. A chunk out of place, doubled or foreign is an Error:
/// it may be late, and then be given up with all behind it, but never wrong.
Result<LoadFigures> RunTrickleLoad(const LoadOptions& options);

}  // namespace framelock::bench
