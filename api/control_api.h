// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "api/json_text.h"
#include "api/node_catalog.h"
#include "api/origin_policy.h"
#include "api/route_table.h"
#include "api/stream_registry.h"
#include "api/workspace_root.h"
#include "pipeline/net/http_server.h"
#include "pipeline/net/loop.h"

namespace framelock::api {

/// Whether the server could take a stream now.
struct PoolHealth {
  std::size_t ready_workers = 0;
  bool ever_ready = false;
  bool given_up = false;
  std::string last_error;
  std::optional<std::chrono::nanoseconds> pause;  // until a worker is tried again
};

/// Answers the control API's requests. Touches no socket: request and body in, answer out. Each
/// request is a coroutine of its own, so none waits for another. Loop thread only.
class ControlApi {
 public:
  struct Options {
    std::size_t max_body_bytes = 4 << 20;
    JsonLimits json;
    OriginPolicy origins;
    WorkspaceRoot workspaces;                // that streams may name (cwd)
    std::optional<std::string> workspace;    // of workers whose stream names none
    stream::StreamConfig defaults;           // of what a start request does not name
    std::size_t max_prompt_workers = 4;      // of one stream
    std::size_t max_streams_per_worker = 4;  // of a shared one
    std::size_t max_text_readers = 16;       // of one stream at once; further ones get 503
  };

  /// `registry` and `nodes` are borrowed; `pool_health` is asked at each GET /health.
  ControlApi(StreamRegistry& registry, const NodeCatalog& nodes, Options options,
             std::function<PoolHealth()> pool_health);

  /// True if the request's body belongs to the answer (else it may stay unread).
  [[nodiscard]] bool NeedsBody(const net::HttpRequest& request) const;
  /// The stream whose texts the request is answered with, once its Answer() was a 200, which is the
  /// head only then: see SendTextEvents. Null: the answer is complete.
  [[nodiscard]] std::shared_ptr<Stream> TextSource(const net::HttpRequest& request) const;
  [[nodiscard]] std::size_t max_body_bytes() const { return options_.max_body_bytes; }

  /// `body`: kResourceLimit when it was too long; another error when it did not arrive.
  net::Task<net::HttpResponse> Answer(const net::HttpRequest& request, Result<std::string> body);

 private:
  net::Task<net::HttpResponse> Dispatch(Route route, std::string id,
                                        const net::HttpRequest& request, std::string body);
  net::Task<net::HttpResponse> Start(const net::HttpRequest& request, std::string body);
  net::Task<net::HttpResponse> UpdatePrompts(std::shared_ptr<Stream> stream, std::string body);
  net::Task<net::HttpResponse> SwitchPrompt(std::shared_ptr<Stream> stream, std::string body);
  net::Task<net::HttpResponse> Stop(std::string id);
  net::Task<net::HttpResponse> StopAll();
  net::Task<net::HttpResponse> RestartWorker(std::shared_ptr<Stream> stream);
  [[nodiscard]] net::HttpResponse AboutStream(Route route, const Stream& stream) const;
  [[nodiscard]] net::HttpResponse AboutServer(Route route, const net::HttpRequest& request) const;
  [[nodiscard]] net::HttpResponse Health() const;
  [[nodiscard]] std::chrono::nanoseconds RetryAfter() const;
  [[nodiscard]] net::HttpResponse Preflight(const net::HttpRequest& request,
                                            const RouteMatch& match) const;

  StreamRegistry& registry_;
  const NodeCatalog& nodes_;
  Options options_;
  std::function<PoolHealth()> pool_health_;
};

}  // namespace framelock::api
