// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "pipeline/core/result.h"

namespace framelock::trickle {

struct PublisherOptions {
  std::string url;  // http(s)://host:port/base/channel
  std::string content_type = "video/mp2t";
  bool create_channel = true;    // POST url with Expect-Content first; 404 and 405 are ignored
  bool delete_channel = true;    // DELETE url at Close
  bool resume_numbering = true;  // GET url/next, then Lp-Trickle-Reset on the first segment
  bool whole_segments = false;   // each Write is one, which ends with it
  std::size_t queue_bytes =
      8u << 20;  // full: whole segments that were not begun are dropped, oldest first
  std::chrono::milliseconds connect_timeout{10000};
  std::chrono::milliseconds retry_initial{100};
  std::chrono::milliseconds retry_max{150};         // what is made meanwhile waits, or is dropped
  std::chrono::milliseconds give_up_after{60000};   // zero: never
  std::chrono::milliseconds answer_timeout{10000};  // from a request's end to its answer
  std::chrono::milliseconds close_timeout{2000};    // for the last bytes and the DELETE
  bool verify_tls = true;
};

struct PublisherStats {
  std::uint64_t bytes = 0;
  std::uint64_t segments = 0;          // acknowledged by the server
  std::uint64_t dropped_segments = 0;  // queue full or transport lost
  std::uint64_t reposted_segments = 0;
  std::uint64_t reconnects = 0;
  std::uint64_t connections = 0;
  std::uint64_t segment_seq = 0;  // being written
  std::size_t queued_bytes = 0;
  std::string last_error;
};

/// Writes a trickle channel: POSTs segment m with m+1 preconnected, bytes sent as they are given.
/// Owns one network thread. Never blocks the caller on the network: the queue is bounded, and what
/// it drops is whole segments, counted.
class Publisher {
 public:
  static Result<std::unique_ptr<Publisher>> Open(PublisherOptions options);
  ~Publisher();  // as Close, without waiting

  /// Ends the current segment, if any, and begins the next. kClosed: the channel was ended by the
  /// server; kUnavailable / kNotFound: gave up.
  Status BeginSegment();
  /// Appends to the current segment (begins the first one if needed). Sent at once.
  Status Write(std::span<const std::byte> bytes);
  /// Ends the segment, waits for the answers up to close_timeout, DELETEs the channel.
  Status Close();
  /// Makes Close, also one that waits already, return kCancelled until Resume(). Any thread.
  void Interrupt();
  void Resume();

  [[nodiscard]] PublisherStats stats() const;  // any thread

 private:
  class Impl;
  explicit Publisher(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace framelock::trickle
