// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/core/result.h"

namespace framelock::trickle {

/// Where a subscriber joins a channel.
enum class StartAt : std::uint8_t {
  kCurrent,  // the segment being written now, from its beginning (wire: -2)
  kNext,     // the next segment (wire: -1)
};

struct SubscriberOptions {
  std::string url;  // http(s)://host:port/base/channel
  StartAt start = StartAt::kCurrent;
  std::optional<std::uint64_t> start_seq;  // overrides start
  std::size_t queue_bytes = 4u << 20;      // full: the connection stops reading, TCP pushes back
  std::size_t max_segment_bytes = 256u << 20;  // a longer one is cut off, counted as a gap
  std::chrono::milliseconds connect_timeout{10000};
  std::chrono::milliseconds reissue_waiting_get{20000};  // a GET without a head is asked again
  // A segment that brought no byte for so long although the next one has begun is left; zero: never
  std::chrono::milliseconds leave_silent_after{500};
  std::chrono::milliseconds retry_initial{100};    // back-off doubles up to retry_max
  std::chrono::milliseconds retry_max{150};        // a live input is missed while we wait
  std::chrono::milliseconds give_up_after{60000};  // without contact or channel; zero: never
  bool verify_tls = true;
};

/// One piece of a channel, in order.
struct Piece {
  std::vector<std::byte> bytes;  // never empty
  std::uint64_t segment_seq = 0;
  bool segment_start = false;  // first piece of its segment
  bool discontinuity = false;  // bytes before this piece were missed (gap, reset, reconnect)
};

struct SubscriberStats {
  std::uint64_t bytes = 0;
  std::uint64_t segments = 0;  // ended ones
  std::uint64_t empty_segments = 0;
  std::uint64_t missed_segments = 0;  // exact where the numbering allows, else at least 1 a gap
  std::uint64_t reconnects = 0;       // requests repeated after a transport failure
  std::uint64_t connections = 0;      // TCP connections opened
  std::uint64_t resets = 0;           // the publisher's numbering went back
  std::uint64_t segment_seq = 0;      // of the last piece handed out
  std::size_t queued_bytes = 0;
  std::string last_error;
};

/// Reads a trickle channel: GETs segment n while it is being written, n+1 already requested. Owns
/// one network thread. Recovers from 470, early 404, empty segments, resets, older servers and lost
/// connections (see trickle/PROTOCOL.md); waits for a channel that does not exist yet.
class Subscriber {
 public:
  /// Checks the URL and starts; does not wait for the network. kInvalidArgument for a bad URL.
  static Result<std::unique_ptr<Subscriber>> Open(SubscriberOptions options);
  ~Subscriber();  // closes its connections and joins

  /// Waits for the next piece. kClosed: the channel ended in good order; kCancelled: Interrupt();
  /// kTimeout: nothing within `timeout`; kUnavailable / kNotFound: gave up. One thread.
  Result<Piece> Read(std::chrono::milliseconds timeout = std::chrono::hours(24));
  /// Makes Read return kCancelled until Resume(). Any thread.
  void Interrupt();
  void Resume();

  [[nodiscard]] SubscriberStats stats() const;  // any thread

 private:
  class Impl;
  explicit Subscriber(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace framelock::trickle
