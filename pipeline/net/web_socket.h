// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>  // Boost 1.74 forgets it: must come first

#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <cstddef>
#include <memory>

#include "pipeline/net/connection_registry.h"
#include "pipeline/net/http_server.h"

namespace framelock::net {

struct WebSocketLimits {
  std::size_t max_message_bytes = 0;
  std::chrono::milliseconds write_timeout{
      30'000};  // a peer that takes nothing for so long is dropped
};

/// Answers an upgrade request and hands over the connection. A request that breaks the rules of
/// the handshake has been answered when this returns kProtocol.
Task<Result<std::unique_ptr<WebSocket>>> AcceptWebSocket(boost::asio::ip::tcp::socket socket,
                                                         const HttpRequest& request,
                                                         WebSocketLimits limits,
                                                         ConnectionRegistry::Ticket ticket);

}  // namespace framelock::net
