// SPDX-License-Identifier: Apache-2.0
#include "api/route_table.h"

#include <array>

#include "pipeline/net/http_request.h"

namespace framelock::api {

namespace {

constexpr std::array kRoutes{
    // "stream" paths that name no id come first: "status" and "stop" are no ids.
    RouteEntry{"POST", "/stream/start", Route::kStart},
    RouteEntry{"POST", "/stream", Route::kStart},
    RouteEntry{"POST", "/live-video-to-video", Route::kStart},
    RouteEntry{"POST", "/stream/stop", Route::kStopAll},
    RouteEntry{"GET", "/stream/status", Route::kCurrentStatus},
    RouteEntry{"GET", "/streams", Route::kStreams},
    RouteEntry{"GET", "/stream/{id}", Route::kStreamStatus},
    RouteEntry{"DELETE", "/stream/{id}", Route::kStop},
    RouteEntry{"GET", "/stream/{id}/status", Route::kStreamStatus},
    RouteEntry{"POST", "/stream/{id}/stop", Route::kStop},
    RouteEntry{"POST", "/stream/{id}/update-prompts", Route::kUpdatePrompts},
    RouteEntry{"GET", "/stream/{id}/prompts", Route::kPrompts},
    RouteEntry{"POST", "/stream/{id}/switch-prompt", Route::kSwitchPrompt},
    RouteEntry{"GET", "/stream/{id}/worker", Route::kWorker},
    RouteEntry{"GET", "/stream/{id}/workers", Route::kWorker},
    RouteEntry{"POST", "/stream/{id}/restart-worker", Route::kRestartWorker},
    RouteEntry{"POST", "/stream/{id}/restart-workers", Route::kRestartWorker},
    RouteEntry{"GET", "/stream/{id}/workspace-info", Route::kWorkspace},
    RouteEntry{"GET", "/stream/{id}/data", Route::kTexts},
    RouteEntry{"GET", "/health", Route::kHealth},
    RouteEntry{"GET", "/object_info", Route::kObjectInfo},
    RouteEntry{"GET", "/object_info/{id}", Route::kNodeInfo},
    RouteEntry{"GET", "/version", Route::kVersion},
    RouteEntry{"GET", "/openapi.json", Route::kOpenApi},
    RouteEntry{"GET", "/", Route::kRoot},
};

// "/live/x" and "/api/x" mean "/x"; a slash at the end means nothing.
std::string_view Normalise(std::string_view path) {
  for (const std::string_view prefix : {std::string_view("/live"), std::string_view("/api")}) {
    const bool whole_part =
        path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/');
    if (!whole_part) continue;
    path.remove_prefix(prefix.size());
    break;
  }
  if (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  return path.empty() ? "/" : path;
}

// The text that stands at {id}; nullopt: the path is another one.
std::optional<std::string_view> MatchPattern(std::string_view pattern, std::string_view path) {
  constexpr std::string_view kId = "{id}";
  const std::size_t at = pattern.find(kId);
  if (at == std::string_view::npos) {
    if (pattern != path) return std::nullopt;
    return std::string_view();
  }
  const std::string_view head = pattern.substr(0, at);
  const std::string_view tail = pattern.substr(at + kId.size());
  if (path.size() <= head.size() + tail.size() || !path.starts_with(head) ||
      !path.ends_with(tail)) {
    return std::nullopt;
  }
  const std::string_view id = path.substr(head.size(), path.size() - head.size() - tail.size());
  if (id.find('/') != std::string_view::npos) return std::nullopt;
  return id;
}

}  // namespace

std::span<const RouteEntry> Routes() { return kRoutes; }

RouteMatch MatchRoute(std::string_view method, std::string_view path) {
  const std::string_view plain = Normalise(path);
  RouteMatch match;
  std::string_view fixed;  // once a line without {id} fits, lines with {id} do not
  for (const RouteEntry& entry : kRoutes) {
    const std::optional<std::string_view> id = MatchPattern(entry.pattern, plain);
    if (!id || (!fixed.empty() && !id->empty())) continue;
    if (id->empty()) fixed = entry.pattern;
    Result<std::string> decoded = net::PercentDecode(*id);
    if (!decoded) {
      match.broken_escape = true;
      continue;
    }
    match.allowed += (match.allowed.empty() ? "" : ", ") + std::string(entry.method);
    if (entry.method != method) continue;
    match.route = entry.route;
    match.id = std::move(*decoded);
    return match;
  }
  return match;
}

}  // namespace framelock::api
