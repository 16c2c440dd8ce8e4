// SPDX-License-Identifier: Apache-2.0
#include "trickle/relay/route.h"

#include <algorithm>
#include <charconv>
#include <vector>

#include "pipeline/net/http_request.h"

namespace framelock::relay {
namespace {

constexpr std::string_view kDoor = "/ws/";
constexpr std::string_view kStatusPath = "/_status";

bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == '\x7f'; }

std::optional<std::string> ChannelName(std::string_view part) {
  auto name = net::PercentDecode(part);
  if (!name.ok() || name->empty() || name->size() > kMaxChannelName) return std::nullopt;
  if (std::any_of(name->begin(), name->end(), IsControl)) return std::nullopt;
  return std::move(name).value();
}

Route ChannelRoute(std::string_view method, Route route) {
  using Kind = Route::Kind;
  if (method == "POST") {
    route.kind = Kind::kCreateChannel;
  } else if (method == "DELETE") {
    route.kind = Kind::kDeleteChannel;
  } else {
    route.kind = Kind::kMethodNotAllowed;
    route.allow = "DELETE, POST";
  }
  return route;
}

Route SegmentRoute(std::string_view method, std::string_view text, Route route) {
  using Kind = Route::Kind;
  const bool reads = method == "GET" || method == "HEAD";
  if (!reads && method != "POST" && method != "DELETE") {
    route.kind = Kind::kMethodNotAllowed;
    route.allow = "DELETE, GET, HEAD, POST";
    return route;
  }
  if (reads && text == "next") {
    route.kind = Kind::kNext;
    return route;
  }
  const auto seq = ParseSeq(text);
  const bool makes_sense = seq && (reads || seq->kind == SeqReference::Kind::kExact ||
                                   (method == "POST" && seq->kind == SeqReference::Kind::kNext));
  if (!makes_sense) {
    route.kind = Kind::kBadSeq;
    return route;
  }
  route.seq = *seq;
  route.kind = reads ? Kind::kRead : method == "POST" ? Kind::kPublish : Kind::kDeleteSegment;
  return route;
}

}  // namespace

std::optional<SeqReference> ParseSeq(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  if (parsed.ec != std::errc() || parsed.ptr != end || number > kMaxSeq) return std::nullopt;
  if (!negative || number == 0) return SeqReference{SeqReference::Kind::kExact, number};
  if (number == 1) return SeqReference{SeqReference::Kind::kNext, 0};
  if (number == 2) return SeqReference{SeqReference::Kind::kCurrent, 0};
  return std::nullopt;
}

Result<std::string> NormalizeBase(std::string_view base) {
  const bool plain = std::none_of(base.begin(), base.end(), [](char c) {
    return IsControl(c) || c == ' ' || c == '?' || c == '#' || c == '%';
  });
  if (!plain || base.find("//") != std::string_view::npos) {
    return Error{ErrorCode::kInvalidArgument,
                 "base path \"" + std::string(base) + "\" is not a plain path"};
  }
  std::string normalized(base);
  if (!normalized.starts_with('/')) normalized.insert(0, 1, '/');
  if (!normalized.ends_with('/')) normalized += '/';
  return normalized;
}

Route ParseRoute(std::string_view method, std::string_view path, std::string_view base) {
  Route route;
  // A channel can be created and deleted but not got, so this path is free for GET.
  if (path == kStatusPath && method == "GET") {
    route.kind = Route::Kind::kStatus;
    return route;
  }
  if (!path.starts_with(base)) return route;
  path.remove_prefix(base.size());
  const std::size_t slash = path.find('/');
  const std::string_view channel = path.substr(0, slash);
  if (channel.empty()) return route;
  const bool whole = slash == std::string_view::npos;
  const std::string_view rest = whole ? std::string_view() : path.substr(slash + 1);
  if (rest.find('/') != std::string_view::npos) return route;
  auto name = ChannelName(channel);
  if (!name) {
    route.kind = Route::Kind::kBadName;
    return route;
  }
  route.channel = std::move(*name);
  return whole ? ChannelRoute(method, std::move(route))
               : SegmentRoute(method, rest, std::move(route));
}

std::optional<std::string> ParseDoorPath(std::string_view path) {
  if (!path.starts_with(kDoor)) return std::nullopt;
  path.remove_prefix(kDoor.size());
  if (path.find('/') != std::string_view::npos) return std::nullopt;
  return ChannelName(path);
}

bool QueryHas(std::string_view query, std::string_view name, std::string_view value) {
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    const std::size_t equals = std::min(pair.find('='), pair.size());
    if (pair.substr(0, equals) == name && pair.substr(std::min(equals + 1, pair.size())) == value) {
      return true;
    }
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  return false;
}

}  // namespace framelock::relay
