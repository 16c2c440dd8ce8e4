// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "pipeline/core/frame_ledger.h"
#include "plugins/audio_pieces.h"
#include "plugins/frame_line.h"

namespace framelock::plugins {

/// How far the worker at hand is.
enum class WorkerState : std::uint8_t { kNone, kStarting, kReady };

/// One consistent look at a filter: all of it was true at the same moment.
struct FilterStats {
  Account account;
  FrameLine::Counters line;
  AudioPieces::Counts audio;
  std::chrono::milliseconds audio_length{};  // that the graph takes at once; 0: it takes none
  std::size_t waiting = 0;
  std::size_t in_flight = 0;
  std::uint64_t copied_in = 0;      // source frames that did not lie in our region
  std::uint64_t texts = 0;          // of published results
  std::uint64_t texts_dropped = 0;  // longer than they may be, or of an older graph
  std::uint64_t copied_out = 0;     // frames copied because downstream held every slot
  std::chrono::nanoseconds latency_p50{}, latency_p95{}, latency_p99{};  // in -> handed downstream
  std::chrono::nanoseconds service_p50{}, service_p99{};                 // submitted -> answered
  double fps_in = 0, fps_out = 0;
  Cadence cadence = Cadence::kSteady;
  std::uint64_t divisor = 1;          // one of so many frames is chosen
  std::chrono::nanoseconds budget{};  // from expected arrival to publication
  std::uint64_t prompt_revision = 0;
  std::int32_t worker_pid = 0;
  WorkerState worker_state = WorkerState::kNone;
  std::uint64_t worker_restarts = 0;
  std::uint32_t output_width = 0, output_height = 0;
  std::string last_error;
};

}  // namespace framelock::plugins
