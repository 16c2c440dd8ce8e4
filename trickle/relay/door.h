// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "pipeline/net/http_server.h"
#include "pipeline/net/loop.h"
#include "trickle/relay/channel_table.h"
#include "trickle/relay/ts_cutter.h"

namespace framelock::relay {

struct DoorOptions {
  TsCutterOptions cutter;
  std::size_t max_message_bytes = 4u << 20;
  // Bytes a publisher may send without a random-access point before it is turned away.
  std::size_t max_bytes_before_start = 16u << 20;
  std::string publish_mime = "video/mp2t";
};

/// The relay's entrance for WebSocket clients, browsers among them: /ws/{channel} follows a
/// channel, /ws/{channel}?publish=1 publishes MPEG-TS, which is cut into segments here. Part of the
/// Relay.
class Door {
 public:
  Door(net::Loop& loop, ChannelTable& table, DoorOptions options,
       std::chrono::milliseconds orphan_grace);

  /// Serves an upgrade request to its end.
  net::Task<> Open(net::HttpExchange& exchange, std::string channel);

 private:
  class Publisher;

  net::Task<> Subscribe(net::HttpExchange& exchange, std::shared_ptr<Channel> channel);
  net::Task<> Publish(net::HttpExchange& exchange, std::shared_ptr<Channel> channel);

  net::Loop& loop_;
  ChannelTable& table_;
  const DoorOptions options_;
  const std::chrono::milliseconds orphan_grace_;
};

}  // namespace framelock::relay
