// SPDX-License-Identifier: Apache-2.0
#include "api/control_api.h"

#include <spdlog/spdlog.h>

#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <random>

#include "api/embedded_files.h"
#include "api/prompt_choice.h"
#include "api/replies.h"
#include "api/start_request.h"
#include "api/update_request.h"
#include "api/version.h"

namespace framelock::api {

using net::HttpRequest;
using net::HttpResponse;
using nlohmann::json;

namespace {

// With a 503, when no better time is known.
constexpr std::chrono::seconds kRetryAfter{5};

// For a start that brings no id of its own.
std::string NewStreamId() {
  std::random_device random;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "stream-%08x%08x", random(), random());
  return text.data();
}

HttpResponse TextReply(const char* type, std::string_view text) {
  HttpResponse response;
  response.headers.emplace_back("Content-Type", type);
  response.headers.emplace_back("X-Content-Type-Options", "nosniff");
  response.body = text;
  return response;
}

HttpResponse TextEventsHead() {
  HttpResponse head = TextReply("text/event-stream", "");
  head.headers.emplace_back("Cache-Control", "no-store");
  return head;
}

HttpResponse InvalidJson(const Error& error) {
  return ErrorReply(400, "Invalid JSON", error.message);
}

HttpResponse BodyMissing(const Error& error, std::size_t max_body_bytes) {
  if (error.code == ErrorCode::kTimeout) {
    HttpResponse late = ErrorReply(408, "Body too slow", "the body did not arrive in time");
    late.close = true;
    return late;
  }
  if (error.code != ErrorCode::kResourceLimit) return ErrorReply(400, "Broken body", error.message);
  HttpResponse response = ErrorReply(
      413, "Body too large", "at most " + std::to_string(max_body_bytes) + " bytes are accepted");
  response.close = true;
  return response;
}

}  // namespace

ControlApi::ControlApi(StreamRegistry& registry, const NodeCatalog& nodes, Options options,
                       std::function<PoolHealth()> pool_health)
    : registry_(registry),
      nodes_(nodes),
      options_(std::move(options)),
      pool_health_(std::move(pool_health)) {}

bool ControlApi::NeedsBody(const HttpRequest& request) const {
  const RouteMatch match = MatchRoute(request.method, request.path);
  const bool takes_one = match.route == Route::kStart || match.route == Route::kUpdatePrompts ||
                         match.route == Route::kSwitchPrompt;
  return takes_one && !options_.origins.Refusal(request);
}

std::shared_ptr<Stream> ControlApi::TextSource(const HttpRequest& request) const {
  const RouteMatch match = MatchRoute(request.method, request.path);
  return match.route == Route::kTexts ? registry_.Find(match.id) : nullptr;
}

net::Task<HttpResponse> ControlApi::Answer(const HttpRequest& request, Result<std::string> body) {
  HttpResponse response;
  RouteMatch match = MatchRoute(request.method, request.path);
  if (std::optional<std::string> refusal = options_.origins.Refusal(request)) {
    response = ErrorReply(403, "Forbidden", *refusal);
  } else if (match.broken_escape) {
    response = ErrorReply(400, "Broken percent escape in the path");
  } else if (!match.route) {
    response = Preflight(request, match);
  } else if (!body) {
    response = BodyMissing(body.error(), options_.max_body_bytes);
  } else {
    response = co_await Dispatch(*match.route, std::move(match.id), request, std::move(*body));
  }
  for (net::HttpHeader& header : options_.origins.CorsHeaders(request)) {
    response.headers.push_back(std::move(header));
  }
  spdlog::debug("{} {} -> {}", request.method, request.path, response.status);
  co_return response;
}

// No route: a browser that asks first, a wrong method, or nothing of ours.
HttpResponse ControlApi::Preflight(const HttpRequest& request, const RouteMatch& match) const {
  if (match.allowed.empty()) return ErrorReply(404, "Not found", "no such path");
  HttpResponse response =
      ErrorReply(405, "Method not allowed", "this path answers " + match.allowed);
  if (request.method == "OPTIONS" && !options_.origins.CorsHeaders(request).empty()) {
    response = HttpResponse();
    response.status = 204;
  }
  response.headers.emplace_back("Allow", match.allowed);
  return response;
}

net::Task<HttpResponse> ControlApi::Dispatch(Route route, std::string id,
                                             const HttpRequest& request, std::string body) {
  switch (route) {
    case Route::kStart:
      co_return co_await Start(request, std::move(body));
    case Route::kStop:
      co_return co_await Stop(std::move(id));
    case Route::kStopAll:
      co_return co_await StopAll();
    case Route::kStreams:
    case Route::kCurrentStatus:
    case Route::kHealth:
    case Route::kVersion:
    case Route::kRoot:
    case Route::kOpenApi:
    case Route::kObjectInfo:
      co_return AboutServer(route, request);
    case Route::kNodeInfo:
      co_return NodeInfoReply(nodes_, id);
    default:
      break;
  }
  std::shared_ptr<Stream> stream = registry_.Find(id);
  if (!stream) co_return StreamNotFound(id);
  if (route == Route::kUpdatePrompts) {
    co_return co_await UpdatePrompts(std::move(stream), std::move(body));
  }
  if (route == Route::kSwitchPrompt) {
    co_return co_await SwitchPrompt(std::move(stream), std::move(body));
  }
  if (route == Route::kRestartWorker) co_return co_await RestartWorker(std::move(stream));
  co_return AboutStream(route, *stream);
}

net::Task<HttpResponse> ControlApi::Start(const HttpRequest& request, std::string body) {
  const Result<json> document = ParseJson(body, options_.json);
  if (!document) co_return InvalidJson(document.error());
  Result<StartRequest> start =
      ParseStartRequest(*document, request.Header("X-Stream-Id"), options_.json, options_.defaults,
                        options_.workspaces);
  if (!start) co_return ErrorReply(400, start.error().message);
  if (start->config.id.empty()) start->config.id = NewStreamId();
  const Status fits =
      CheckPromptCount(start->prompt, start->architecture, options_.max_prompt_workers);
  if (!fits) co_return ErrorReply(400, fits.error().message);
  if (start->architecture == Architecture::kShared) {
    AllowForTurns(options_.max_streams_per_worker, start->config);
  }
  std::string prompt = start->prompt.text.empty() ? kDefaultPrompt : start->prompt.text;
  StreamPlan plan(start->architecture, start->prompt.further);
  const Result<PromptVerdict> up =
      co_await registry_.Start(start->config, std::move(prompt), std::move(plan));
  if (!up) co_return StartFailedReply(start->config.id, up.error(), RetryAfter());
  if (!up->applied) co_return PromptRejectedReply(*up);
  co_return StartedReply(*start);
}

std::chrono::nanoseconds ControlApi::RetryAfter() const {
  return pool_health_().pause.value_or(kRetryAfter);
}

net::Task<HttpResponse> ControlApi::UpdatePrompts(std::shared_ptr<Stream> stream,
                                                  std::string body) {
  const Result<json> document = ParseJson(body, options_.json);
  if (!document) co_return InvalidJson(document.error());
  Result<UpdateRequest> update = ParseUpdateRequest(*document, options_.json, options_.workspaces);
  if (!update) co_return ErrorReply(400, update.error().message);
  const Status fits =
      CheckPromptCount(update->prompt, stream->architecture(), options_.max_prompt_workers);
  if (!fits) co_return ErrorReply(400, fits.error().message);
  Result<PromptVerdict> verdict = PromptVerdict();
  if (stream->architecture() == Architecture::kPerPrompt) {
    PromptSetUpdate wanted(update->prompt.distinct());
    wanted.width = update->width;
    wanted.height = update->height;
    wanted.worker = update->worker;
    verdict = co_await stream->UpdatePrompts(std::move(wanted));
  } else {
    PromptUpdate wanted;
    wanted.text = update->prompt.text;
    wanted.width = update->width;
    wanted.height = update->height;
    wanted.worker = update->worker;
    verdict = co_await stream->UpdatePrompt(std::move(wanted));
  }
  if (!verdict) co_return UpdateFailedReply(verdict.error(), RetryAfter());
  if (!verdict->applied) co_return PromptRejectedReply(*verdict);
  co_return UpdatedReply(stream->config().id, *update, *verdict);
}

net::Task<HttpResponse> ControlApi::SwitchPrompt(std::shared_ptr<Stream> stream, std::string body) {
  const std::string id = stream->config().id;
  const Result<json> document = ParseJson(body, options_.json);
  if (!document) co_return InvalidJson(document.error());
  const Result<std::string> prompt = ParseSwitchRequest(*document);
  if (!prompt) co_return ErrorReply(400, prompt.error().message);
  if (stream->architecture() != Architecture::kPerPrompt) {
    co_return ErrorReply(400, "Stream " + id + " does not support prompt switching",
                         "only one that was started with use_prompt_worker does");
  }
  const Status switched = co_await stream->SwitchPrompt(*prompt);
  if (!switched) co_return SwitchFailedReply(switched.error(), RetryAfter());
  co_return SwitchedReply(id, *prompt);
}

net::Task<HttpResponse> ControlApi::Stop(std::string id) {
  const bool stopped = co_await registry_.Stop(id);
  co_return stopped ? StoppedReply(id) : NothingToStopReply(id);
}

net::Task<HttpResponse> ControlApi::StopAll() {
  if (registry_.streams().empty()) co_return NoStreamsReply();
  const std::size_t count = co_await registry_.StopAll();
  co_return AllStoppedReply(count);
}

net::Task<HttpResponse> ControlApi::RestartWorker(std::shared_ptr<Stream> stream) {
  if (stream->architecture() != Architecture::kDedicated) {
    co_return ErrorReply(400, "Stream " + stream->config().id +
                                  " is not using ProcessPoolPipeline (dedicated worker)");
  }
  const Status restarted = co_await stream->RestartWorker();
  if (!restarted) {
    co_return RestartFailedReply(stream->config().id, restarted.error(), RetryAfter());
  }
  co_return RestartedReply(stream->config().id);
}

HttpResponse ControlApi::AboutStream(Route route, const Stream& stream) const {
  switch (route) {
    case Route::kPrompts:
      return PromptsReply(stream);
    case Route::kWorkspace:
      return WorkspaceReply(stream, options_.workspace);
    case Route::kWorker:
      return WorkerReply(stream);
    case Route::kTexts:
      if (stream.texts().readers() >= options_.max_text_readers) return TooManyReadersReply();
      return TextEventsHead();
    default:
      return JsonReply(200, stream.StatusJson());
  }
}

HttpResponse ControlApi::AboutServer(Route route, const HttpRequest& request) const {
  switch (route) {
    case Route::kStreams:
      return StreamsReply(registry_);
    case Route::kCurrentStatus:
      return CurrentStatusReply(registry_);
    case Route::kHealth:
      return Health();
    case Route::kVersion:
      return JsonReply(200, {{"service", "framelockd"},
                             {"pipeline", "framelock"},
                             {"model_id", "framelock"},
                             {"version", kVersion}});
    case Route::kOpenApi:
      return TextReply("application/json", kOpenApiText);
    case Route::kObjectInfo:
      return ObjectInfoReply(nodes_);
    default:
      break;
  }
  const std::string_view accept = request.Header("Accept").value_or("");
  if (accept.find("text/html") == std::string_view::npos) return RootReply();
  HttpResponse page = TextReply("text/html; charset=utf-8", kPageText);
  page.headers.emplace_back("Content-Security-Policy",
                            "default-src 'none'; style-src 'unsafe-inline'; script-src "
                            "'unsafe-inline'; connect-src 'self'; frame-ancestors 'none'");
  return page;
}

// ERROR: no worker can be made, so no stream could start. A failed stream is that stream's matter.
HttpResponse ControlApi::Health() const {
  const PoolHealth pool = pool_health_();
  std::size_t running = 0;
  std::size_t failed = 0;
  for (const auto& [id, stream] : registry_.streams()) {
    if (stream->state() == StreamState::kRunning) ++running;
    if (stream->state() == StreamState::kFailed) ++failed;
  }
  const std::size_t active = registry_.active();
  const char* status = pool.ever_ready ? "IDLE" : "LOADING";
  if (active > 0) status = "OK";
  if (pool.given_up) status = "ERROR";
  json body = {{"status", status},
               {"service", "framelockd"},
               {"version", kVersion},
               {"streams", active},
               {"streams_running", running},
               {"streams_recovering", active - running},
               {"streams_failed", failed},
               {"ready_workers", pool.ready_workers},
               {"retry_in_ms", nullptr},
               {"error", pool.last_error.empty() ? json(nullptr) : json(pool.last_error)}};
  if (pool.pause) {
    body["retry_in_ms"] =
        std::chrono::duration_cast<std::chrono::milliseconds>(*pool.pause).count();
  }
  return JsonReply(200, body);
}

}  // namespace framelock::api
