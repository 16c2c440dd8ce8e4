// SPDX-License-Identifier: Apache-2.0
#include "pipeline/net/websocket_url.h"

#include <netdb.h>

#include "pipeline/net/url.h"

namespace framelock::net {

std::string ConnectAddress(const std::string& host) {
  if (host != "localhost") return host;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), nullptr, nullptr, &found) != 0) return "127.0.0.1";
  ::freeaddrinfo(found);
  return host;
}

Result<WebSocketUrl> ParseWebSocketUrl(std::string_view text) {
  const Result<Url> parsed = Url::Parse(text, {"ws", "wss"});
  if (!parsed) return Error{parsed.error().code, "websocket " + parsed.error().message};
  const std::string_view rest = text.substr(parsed->scheme().size() + 3);
  WebSocketUrl url;
  url.tls = parsed->secure();
  url.host = parsed->host();
  url.port = parsed->port();
  url.target = parsed->path();
  if (!parsed->query().empty()) url.target += "?" + parsed->query();
  url.authority = rest.substr(0, rest.find_first_of("/?"));
  return url;
}

}  // namespace framelock::net
