// SPDX-License-Identifier: Apache-2.0
#include "api/stream_url.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace framelock::api {

namespace {

Error Invalid(std::string reason) { return Error{ErrorCode::kInvalidArgument, std::move(reason)}; }

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Between "://" and the path.
std::string_view Authority(std::string_view url) {
  const std::size_t colon = url.find("://");
  if (colon == std::string_view::npos) return {};
  const std::string_view rest = url.substr(colon + 3);
  return rest.substr(0, rest.find_first_of("/?#"));
}

bool KnownScheme(std::string_view url) {
  static constexpr std::array<std::string_view, 4> kSchemes{"http", "https", "ws", "wss"};
  std::string scheme(url.substr(0, std::min(url.find("://"), std::size_t{8})));
  std::transform(scheme.begin(), scheme.end(), scheme.begin(), Lower);
  return std::find(kSchemes.begin(), kSchemes.end(), scheme) != kSchemes.end();
}

Status CheckPort(std::string_view port) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), value);
  if (error != std::errc{} || end != port.data() + port.size() || value == 0 || value > 65535) {
    return Invalid("its port is not a number from 1 to 65535");
  }
  return {};
}

bool HostByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_';
}

Status CheckHostAndPort(std::string_view authority) {
  const std::string_view host_port = authority.substr(authority.rfind('@') + 1);
  std::string_view host = host_port.substr(0, host_port.find(':'));
  std::string_view after = host_port.substr(host.size());
  if (host_port.starts_with('[')) {
    const std::size_t close = host_port.find(']');
    if (close == std::string_view::npos || close < 3 ||
        host_port.substr(1, close - 1).find_first_not_of("0123456789abcdefABCDEF:.") !=
            std::string_view::npos) {
      return Invalid("its IPv6 address is broken");
    }
    host = host_port.substr(1, close - 1);
    after = host_port.substr(close + 1);
  } else if (host.empty()) {
    return Invalid("it names no host");
  } else if (!std::all_of(host.begin(), host.end(), HostByte)) {
    return Invalid("its host name holds a forbidden character");
  }
  if (after.empty()) return {};
  if (after.front() != ':') return Invalid("something stands between host and path");
  return CheckPort(after.substr(1));
}

}  // namespace

Status CheckStreamUrl(std::string_view url) {
  if (url.size() > kMaxUrlBytes) {
    return Invalid("it is longer than " + std::to_string(kMaxUrlBytes) + " bytes");
  }
  const auto forbidden = [](char c) {
    return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f || c == '\\' || c == '"' ||
           c == '<' || c == '>';
  };
  if (std::any_of(url.begin(), url.end(), forbidden)) {
    return Invalid("it holds a space, a control character or another forbidden character");
  }
  if (url.find("://") == std::string_view::npos) return Invalid("it is no absolute address");
  if (!KnownScheme(url)) return Invalid("its scheme is none of http, https, ws, wss");
  return CheckHostAndPort(Authority(url));
}

std::string RedactUrl(std::string_view url) {
  const std::string_view authority = Authority(url);
  const std::size_t at = authority.rfind('@');
  if (at == std::string_view::npos) return std::string(url);
  const std::size_t begin = static_cast<std::size_t>(authority.data() - url.data());
  return std::string(url.substr(0, begin)) + "***" + std::string(url.substr(begin + at));
}

}  // namespace framelock::api
