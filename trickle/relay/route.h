// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "pipeline/core/result.h"

namespace framelock::relay {

/// The {seq} part of a path: a number, or one of the two names for a place.
struct SeqReference {
  enum class Kind : std::uint8_t {
    kExact,
    kNext,     // -1: the first segment without a byte
    kCurrent,  // -2: the one before it
  };
  Kind kind = Kind::kExact;
  std::uint64_t seq = 0;

  friend bool operator==(const SeqReference&, const SeqReference&) = default;
};

inline constexpr std::uint64_t kMaxSeq = std::uint64_t{1} << 62;
inline constexpr std::size_t kMaxChannelName = 255;

/// Reads {seq}: an optional sign and digits. nullopt for anything else, numbers above kMaxSeq, and
/// negative ones but -1 and -2.
std::optional<SeqReference> ParseSeq(std::string_view text);

/// What a request asks of the relay.
struct Route {
  enum class Kind : std::uint8_t {
    kCreateChannel,
    kDeleteChannel,
    kPublish,
    kRead,
    kDeleteSegment,
    kNext,
    kStatus,
    kBadSeq,
    kBadName,
    kMethodNotAllowed,
    kNotFound,
  };
  Kind kind = Kind::kNotFound;
  std::string channel;          // decoded
  SeqReference seq;             // kPublish, kRead, kDeleteSegment
  std::string_view allow = {};  // kMethodNotAllowed: the methods that are
};

/// "/" + parts + "/": what --base means. kInvalidArgument for characters a path cannot have.
Result<std::string> NormalizeBase(std::string_view base);

/// Finds the route of a request line; `base` is normalized, `path` not percent-decoded.
Route ParseRoute(std::string_view method, std::string_view path, std::string_view base);

/// The channel of a WebSocket door path, "/ws/{channel}"; nullopt for another path or a bad name.
std::optional<std::string> ParseDoorPath(std::string_view path);

/// True if a query ("publish=1&x") holds the given pair.
bool QueryHas(std::string_view query, std::string_view name, std::string_view value);

}  // namespace framelock::relay
