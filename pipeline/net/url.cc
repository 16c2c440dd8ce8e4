// SPDX-License-Identifier: Apache-2.0
#include "pipeline/net/url.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace framelock::net {
namespace {

Error Bad(std::string reason) {
  return Error{ErrorCode::kInvalidArgument, "url: " + std::move(reason)};
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsHex(char c) { return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool IsAlpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string Lowered(std::string_view text) {
  std::string lowered(text);
  std::transform(lowered.begin(), lowered.end(), lowered.begin(), Lower);
  return lowered;
}

Status CheckCharacters(std::string_view text) {
  for (const char c : text) {
    if (c <= ' ' || c > '~') return Bad("holds a space, a control or a non-ASCII character");
    if (c == '\\' || c == '"' || c == '<' || c == '>' || c == '^' || c == '`' || c == '{' ||
        c == '|' || c == '}') {
      return Bad(std::string("holds the character ") + c);
    }
  }
  return {};
}

Status CheckEscapes(std::string_view text) {
  for (std::size_t i = text.find('%'); i != std::string_view::npos; i = text.find('%', i + 1)) {
    if (i + 2 >= text.size() || !IsHex(text[i + 1]) || !IsHex(text[i + 2])) {
      return Bad("a % is not followed by two hexadecimal digits");
    }
    if (text.substr(i + 1, 2) == "00") return Bad("holds an escaped NUL");
  }
  return {};
}

// Resolvers read "2130706433", "0x7f.1" and "0177.0.0.1" as IPv4. A last label that is a number
// therefore must belong to a plain dotted quad.
bool LooksLikeNumber(std::string_view label) {
  if (label.size() >= 2 && label[0] == '0' && Lower(label[1]) == 'x') {
    return std::all_of(label.begin() + 2, label.end(), IsHex);
  }
  return !label.empty() && std::all_of(label.begin(), label.end(), IsDigit);
}

Status CheckName(std::string_view host) {
  if (host.size() > 253) return Bad("the host name is longer than 253 characters");
  std::size_t begin = 0;
  while (begin <= host.size()) {
    const std::size_t end = std::min(host.find('.', begin), host.size());
    const std::string_view label = host.substr(begin, end - begin);
    const bool last = end == host.size();
    if (label.empty() && !(last && begin > 0)) return Bad("the host has an empty label");
    if (label.size() > 63) return Bad("a label of the host is longer than 63 characters");
    for (const char c : label) {
      if (!IsAlpha(c) && !IsDigit(c) && c != '-' && c != '_') {
        return Bad(std::string("the host holds the character ") + c);
      }
    }
    begin = end + 1;
  }
  const std::string_view bare = host.substr(0, host.size() - (host.ends_with('.') ? 1 : 0));
  const std::size_t dot = bare.rfind('.');
  const std::string_view top = dot == std::string_view::npos ? bare : bare.substr(dot + 1);
  in_addr address{};
  if (LooksLikeNumber(top) && inet_pton(AF_INET, std::string(host).c_str(), &address) != 1) {
    return Bad("the host is a number but not a plain IPv4 address");
  }
  return {};
}

Result<std::uint16_t> ParsePort(std::string_view text) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error == std::errc::invalid_argument || end != text.data() + text.size()) {
    return Bad("the port is not a number");
  }
  if (error != std::errc() || port == 0 || port > 65535) {
    return Bad("the port is not between 1 and 65535");
  }
  return static_cast<std::uint16_t>(port);
}

struct Authority {
  std::string host;
  std::optional<std::uint16_t> port;
};

Result<Authority> ParseAuthority(std::string_view text) {
  if (text.find('@') != std::string_view::npos) return Bad("user names are not accepted");
  Authority authority;
  std::string_view rest;
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return Bad("a [ is not closed");
    authority.host = Lowered(text.substr(1, close - 1));
    in6_addr address{};
    if (inet_pton(AF_INET6, authority.host.c_str(), &address) != 1) {
      return Bad("the host in brackets is not an IPv6 address");
    }
    rest = text.substr(close + 1);
  } else {
    const std::size_t colon = std::min(text.find(':'), text.size());
    authority.host = Lowered(text.substr(0, colon));
    if (authority.host.empty()) return Bad("there is no host");
    if (const Status named = CheckName(authority.host); !named) return named.error();
    rest = text.substr(colon);
  }
  if (rest.empty()) return authority;
  if (rest.front() != ':') return Bad("characters stand between the host and the path");
  Result<std::uint16_t> port = ParsePort(rest.substr(1));
  if (!port) return port.error();
  authority.port = *port;
  return authority;
}

std::string Joined(std::initializer_list<std::string_view> names) {
  std::string joined;
  for (const std::string_view name : names) {
    if (!joined.empty()) joined += ", ";
    joined += name;
  }
  return joined;
}

}  // namespace

Result<Url> Url::Parse(std::string_view text, std::initializer_list<std::string_view> schemes) {
  if (text.empty()) return Bad("is empty");
  if (text.size() > kMaxBytes) return Bad("is longer than 4096 bytes");
  if (const Status clean = CheckCharacters(text); !clean) return clean.error();

  const std::size_t colon = text.find("://");
  if (colon == std::string_view::npos) return Bad("is not absolute (SCHEME://HOST/PATH)");
  Url url;
  url.scheme_ = Lowered(text.substr(0, colon));
  if (std::find(schemes.begin(), schemes.end(), url.scheme_) == schemes.end()) {
    return Bad("the scheme must be one of " + Joined(schemes));
  }
  std::string_view rest = text.substr(colon + 3);
  if (rest.find('#') != std::string_view::npos) return Bad("fragments (#) are not accepted");
  const std::size_t authority_end = std::min(rest.find_first_of("/?"), rest.size());
  Result<Authority> authority = ParseAuthority(rest.substr(0, authority_end));
  if (!authority) return authority.error();
  url.host_ = std::move(authority->host);
  url.port_ = authority->port.value_or(url.secure() ? 443 : 80);

  rest = rest.substr(authority_end);
  if (const Status escapes = CheckEscapes(rest); !escapes) return escapes.error();
  const std::size_t question = std::min(rest.find('?'), rest.size());
  url.path_ = rest.substr(0, question);
  if (url.path_.empty()) url.path_ = "/";
  if (question < rest.size()) url.query_ = rest.substr(question + 1);
  return url;
}

Url Url::Child(std::string_view part) const {
  Url child = *this;
  while (child.path_.ends_with('/')) child.path_.pop_back();
  child.path_ += '/';
  child.path_ += part;
  return child;
}

std::string Url::ToString() const {
  const bool ipv6 = host_.find(':') != std::string::npos;
  std::string text =
      scheme_ + "://" + (ipv6 ? "[" + host_ + "]" : host_) + ":" + std::to_string(port_) + path_;
  if (!query_.empty()) text += "?" + query_;
  return text;
}

}  // namespace framelock::net
