// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "pipeline/core/result.h"

namespace framelock::net {

/// A ws:// or wss:// address, taken apart.
struct WebSocketUrl {
  bool tls = false;
  std::string host;  // without the brackets of an IPv6 address
  std::uint16_t port = 80;
  std::string target;     // path and query, at least "/"
  std::string authority;  // host[:port] as a Host header carries it
};

/// Where to connect for a URL's host. "localhost" is the loopback even where nothing resolves it
/// (RFC 6761, 6.3): a container may have no /etc/hosts. Asks the resolver for that name alone.
std::string ConnectAddress(const std::string& host);

/// Url's rules for the schemes ws and wss; nothing can be smuggled into the handshake.
Result<WebSocketUrl> ParseWebSocketUrl(std::string_view url);

}  // namespace framelock::net
