// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "pipeline/core/result.h"
#include "pipeline/net/group_queue.h"

namespace framelock::net {

/// What a client does once its connection was lost, or closed with another code than 1000.
enum class Reconnect : std::uint8_t { kNever, kAfterLoss };

struct WebSocketClientOptions {
  std::string url;  // ws:// or wss://host[:port]/path?query
  Reconnect reconnect = Reconnect::kAfterLoss;
  std::size_t receive_queue_bytes = 4u << 20;  // full: the connection stops reading
  std::size_t max_message_bytes = 16u << 20;   // a longer one ends the connection (code 1009)
  std::size_t send_queue_bytes = 4u << 20;     // full: see GroupQueue
  std::chrono::milliseconds connect_timeout{10000};
  std::chrono::milliseconds ping_interval{10000};  // zero: no pings
  std::chrono::milliseconds ping_timeout{30000};   // a silent peer is given up after it
  std::chrono::milliseconds retry_initial{100};    // back-off doubles up to retry_max
  std::chrono::milliseconds retry_max{150};        // a live stream is missed while we wait
  std::chrono::milliseconds settled_after{4000};   // a connection that lasted so long ends it
  std::chrono::milliseconds give_up_after{60000};  // without a connection; zero: never
  std::chrono::milliseconds close_timeout{2000};   // for the queue, the close frame and its answer
  bool verify_tls = true;
};

struct WebSocketClientStats {
  std::uint64_t bytes_received = 0;
  std::uint64_t messages_received = 0;
  std::uint64_t text_messages = 0;  // received and ignored: media is binary
  std::uint64_t bytes_sent = 0;
  std::uint64_t messages_sent = 0;
  std::uint64_t dropped_messages = 0;  // of those given to Send
  std::uint64_t dropped_groups = 0;    // groups that lost at least their end
  std::uint64_t connections = 0;       // established ones
  std::uint64_t reconnects = 0;        // established ones after the first
  std::size_t receive_queued_bytes = 0;
  std::size_t send_queued_bytes = 0;
  std::optional<std::uint16_t> close_code;  // the peer's last one
  std::string last_error;
};

/// A binary message, its fragments joined.
struct WebSocketMessage {
  std::vector<std::byte> bytes;  // never empty
  bool discontinuity = false;    // messages before this one were missed (new connection)
};

/// The client's end of a WebSocket that carries binary messages. Owns one network thread;
/// reconnects with back-off. Ignores proxy settings and redirects: it talks to the peer it was
/// given. A host name is looked up on the network thread, which may delay the destructor by the
/// resolver's own timeout.
class WebSocketClient {
 public:
  /// Checks the URL and starts; does not wait for the network. kInvalidArgument for a bad URL.
  static Result<std::unique_ptr<WebSocketClient>> Open(WebSocketClientOptions options);
  ~WebSocketClient();  // drops the connection and joins

  /// Waits for the next message. kClosed: the peer closed with code 1000 (or we did); kCancelled:
  /// Interrupt(); kTimeout: nothing within `timeout`; kNotFound / kUnavailable: gave up. One
  /// thread.
  Result<WebSocketMessage> Receive(std::chrono::milliseconds timeout = std::chrono::hours(24));

  /// Queues one binary message; never blocks. kResourceLimit: dropped, because the peer is slow
  /// (see GroupQueue); kClosed / kNotFound / kUnavailable as in Receive. Any thread.
  Status Send(std::span<const std::byte> bytes, GroupQueue::Position position);

  /// Sends what is queued, closes with code 1000 and waits for the peer's answer, up to
  /// close_timeout. kTimeout when that passed, kCancelled at Interrupt().
  Status Close();

  /// Makes Receive and Close return kCancelled until Resume(). Any thread.
  void Interrupt();
  void Resume();

  [[nodiscard]] WebSocketClientStats stats() const;  // any thread

 private:
  class Impl;
  explicit WebSocketClient(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace framelock::net
