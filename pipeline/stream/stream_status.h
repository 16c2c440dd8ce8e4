// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "pipeline/core/clock.h"

namespace framelock::stream {

/// How one stream is doing, for people and for framelockd.
///
///   kStarting ──pipeline plays──► kWaitingForInput ◄──pictures stop / come──► kRunning
///                                                                               ▲
///                                     worker starts, is replaced, hangs ◄───────┴──► kDegraded
///   any ──end of stream or stop──► kEnded        any ──fatal error──► kError
enum class StreamState : std::uint8_t {
  kStarting,
  kWaitingForInput,
  kRunning,
  kDegraded,  // publishing, but not what the prompt says
  kEnded,
  kError,
};

const char* StreamStateName(StreamState state);

/// One look at a stream.
struct StreamStatus {
  StreamState state = StreamState::kStarting;
  std::chrono::milliseconds uptime{0};
  nlohmann::json filter;  // workerfilter's stats, names with '_'
  nlohmann::json input;
  nlohmann::json output;
  nlohmann::json latency_trace;  // null: not asked for
  nlohmann::json data;           // of the element that writes data_url; null: there is none
  std::uint64_t decode_errors = 0;
  std::uint64_t texts_dropped = 0;  // behind the filter: too many waited
  std::string last_error;           // of the stream itself; else the newest of its parts
};

/// The object of the control line's "status".
nlohmann::json ToJson(const StreamStatus& status);

/// What decides about the state.
struct StreamSigns {
  bool playing = false;
  bool ended = false;
  bool failed = false;
  bool worker_ready = false;
  std::optional<SteadyTime> last_picture;
};

/// Without a picture for longer than `idle` a stream waits for its input.
StreamState Judge(const StreamSigns& signs, SteadyTime now,
                  std::chrono::milliseconds idle = std::chrono::seconds(2));

}  // namespace framelock::stream
