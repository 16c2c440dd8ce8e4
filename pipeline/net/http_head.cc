// SPDX-License-Identifier: Apache-2.0
#include "pipeline/net/http_head.h"

#include <algorithm>
#include <charconv>

namespace framelock::net {
namespace {

bool SameName(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [&](char x, char y) { return lower(x) == lower(y); });
}

std::string_view Trimmed(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

// "HTTP/1.1 470 whatever"
unsigned StatusOf(std::string_view line) {
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos) return 0;
  const std::string_view rest = Trimmed(line.substr(space));
  unsigned status = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), status);
  return error == std::errc() && status <= 999 ? status : 0;
}

}  // namespace

std::optional<std::string_view> HttpResponseHead::Header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (SameName(key, name)) return value;
  }
  return std::nullopt;
}

bool HttpHeadParser::Feed(std::string_view line) {
  if (complete_) return false;
  if (line.starts_with("HTTP/")) {
    head_ = HttpResponseHead{StatusOf(line), {}};
    return false;
  }
  if (Trimmed(line).empty()) {
    complete_ = head_.status >= 200;
    return complete_;
  }
  const std::size_t colon = line.find(':');
  if (colon != std::string_view::npos && head_.headers.size() < kMaxHeaders) {
    head_.headers.emplace_back(Trimmed(line.substr(0, colon)), Trimmed(line.substr(colon + 1)));
  }
  return false;
}

}  // namespace framelock::net
