// SPDX-License-Identifier: Apache-2.0
#include "pipeline/net/websocket_url.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace framelock::net {
namespace {

constexpr std::size_t kMaxUrlBytes = 4096;

Error Invalid(std::string_view what) {
  return Error{ErrorCode::kInvalidArgument, "websocket url: " + std::string(what)};
}

std::optional<std::uint16_t> ParsePort(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

// Splits "host", "host:port", "[v6]" and "[v6]:port".
Status ParseAuthority(std::string_view authority, WebSocketUrl& url) {
  std::string_view rest;
  if (authority.starts_with('[')) {
    const std::size_t close = authority.find(']');
    if (close == std::string_view::npos) return Invalid("'[' without ']'");
    url.host = authority.substr(1, close - 1);
    rest = authority.substr(close + 1);
    if (!rest.empty() && rest.front() != ':') return Invalid("text after ']'");
  } else {
    const std::size_t colon = authority.find(':');
    url.host = authority.substr(0, colon);
    if (colon != std::string_view::npos) rest = authority.substr(colon);
  }
  if (url.host.empty()) return Invalid("no host");
  url.port = url.tls ? 443 : 80;
  if (!rest.empty()) {
    const auto port = ParsePort(rest.substr(1));
    if (!port) return Invalid("the port is not a number from 1 to 65535");
    url.port = *port;
  }
  url.authority = authority;
  return {};
}

}  // namespace

Result<WebSocketUrl> ParseWebSocketUrl(std::string_view text) {
  if (text.size() > kMaxUrlBytes) return Invalid("longer than 4096 bytes");
  const auto is_bad = [](unsigned char c) { return c <= ' ' || c >= 0x7f || c == '\\'; };
  if (std::any_of(text.begin(), text.end(), is_bad)) {
    return Invalid("a space, control or non-ASCII character; percent-encode it");
  }
  WebSocketUrl url;
  if (text.starts_with("wss://")) {
    url.tls = true;
    text.remove_prefix(6);
  } else if (text.starts_with("ws://")) {
    text.remove_prefix(5);
  } else {
    return Invalid("does not begin with ws:// or wss://");
  }
  if (text.find('#') != std::string_view::npos) return Invalid("a fragment ('#') is not allowed");
  const std::size_t path = std::min(text.find_first_of("/?"), text.size());
  const std::string_view authority = text.substr(0, path);
  if (authority.find('@') != std::string_view::npos) return Invalid("a user name is not allowed");
  if (Status parsed = ParseAuthority(authority, url); !parsed) return parsed.error();
  url.target = text.substr(path);
  if (!url.target.starts_with('/')) url.target.insert(url.target.begin(), '/');
  return url;
}

}  // namespace framelock::net
