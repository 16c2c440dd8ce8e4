// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace framelock::api {

/// What a request asks for.
enum class Route : std::uint8_t {
  kStart,
  kStop,
  kStopAll,
  kStreamStatus,
  kStreams,
  kCurrentStatus,
  kUpdatePrompts,
  kPrompts,
  kSwitchPrompt,
  kWorker,
  kRestartWorker,
  kWorkspace,
  kTexts,
  kHealth,
  kVersion,
  kRoot,
  kOpenApi,
  kObjectInfo,
  kNodeInfo,
};

/// One line of the table. {id} stands for one path part.
struct RouteEntry {
  std::string_view method;
  std::string_view pattern;
  Route route;
};

/// All routes, without the prefixes /live and /api, under which each one is served as well.
std::span<const RouteEntry> Routes();

struct RouteMatch {
  std::optional<Route> route;  // unset: 404, or 405 when `allowed` is not empty
  std::string id;              // of {id}, percent-decoded
  std::string allowed;         // methods of this path, for the Allow header
  bool broken_escape = false;  // the id's percent escapes are broken: 400
};

/// Finds the line for a method and a path (as sent, without the query).
RouteMatch MatchRoute(std::string_view method, std::string_view path);

}  // namespace framelock::api
