// SPDX-License-Identifier: Apache-2.0
#include "api/replies.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <system_error>

#include "api/architecture.h"
#include "api/json_text.h"
#include "api/prompt_choice.h"
#include "api/route_table.h"
#include "api/validation_errors.h"
#include "api/version.h"

namespace framelock::api {

using nlohmann::json;

namespace {

constexpr std::chrono::seconds kNodesRetryAfter{1};
constexpr std::chrono::seconds kReadersRetryAfter{1};

json Url(const std::optional<std::string>& url) { return url ? json(*url) : json(nullptr); }

net::HttpResponse JsonTextReply(unsigned status, std::string text) {
  net::HttpResponse response;
  response.status = status;
  response.headers.emplace_back("Content-Type", "application/json");
  response.headers.emplace_back("Cache-Control", "no-store");
  response.headers.emplace_back("X-Content-Type-Options", "nosniff");
  response.body = std::move(text);
  return response;
}

// "Come again": the answer's body and its header say when.
net::HttpResponse BusyReply(json body, std::chrono::nanoseconds retry_after) {
  const auto seconds =
      std::max(std::chrono::ceil<std::chrono::seconds>(retry_after), std::chrono::seconds(1))
          .count();
  body["retry_after"] = seconds;
  net::HttpResponse response = JsonReply(503, body);
  response.headers.emplace_back("Retry-After", std::to_string(seconds));
  return response;
}

net::HttpResponse NoNodesReply(const NodeCatalog& nodes) {
  if (nodes.waiting()) {
    return BusyReply({{"error", "the worker has not listed its nodes yet"}}, kNodesRetryAfter);
  }
  return ErrorReply(501, "The worker command lists no nodes", *nodes.error());
}

}  // namespace

net::HttpResponse JsonReply(unsigned status, const json& body) {
  return JsonTextReply(status, DumpJson(body) + "\n");
}

net::HttpResponse ErrorReply(unsigned status, const std::string& message, const std::string& more) {
  json body = {{"error", message}};
  if (!more.empty()) body["message"] = more;
  return JsonReply(status, body);
}

net::HttpResponse StreamNotFound(const std::string& id) {
  return ErrorReply(404, "Stream " + id + " not found");
}

net::HttpResponse StartedReply(const StartRequest& request) {
  const stream::StreamConfig& config = request.config;
  json echo = {{"subscribe_url", Url(config.subscribe_url)},
               {"publish_url", Url(config.publish_url)},
               {"width", config.width},
               {"height", config.height},
               {"dedicated_worker", request.dedicated_worker},
               {"use_prompt_worker", request.architecture == Architecture::kPerPrompt},
               {"pipeline_type", PipelineTypeName(request.architecture)},
               {"architecture", ArchitectureName(request.architecture)},
               {"prompts_set", request.prompt.count > 0},
               {"prompt_count", request.prompt.count > 0 ? request.prompt.count : 1}};
  return JsonReply(200, {{"status", "success"},
                         {"message", "Stream " + config.id + " started successfully"},
                         {"request_id", config.id},
                         {"config", std::move(echo)}});
}

net::HttpResponse StartFailedReply(const std::string& id, const Error& error,
                                   std::chrono::nanoseconds retry_after) {
  json body = {
      {"status", "error"}, {"error", error.message}, {"message", "Failed to start stream " + id}};
  switch (error.code) {
    case ErrorCode::kAlreadyExists:
      return JsonReply(409, body);
    case ErrorCode::kResourceLimit:
    case ErrorCode::kUnavailable:
      return BusyReply(std::move(body), retry_after);
    case ErrorCode::kCancelled:
      body["message"] = "Stream " + id + " was stopped while it started";
      return JsonReply(409, body);
    default:
      return JsonReply(500, body);
  }
}

net::HttpResponse PromptRejectedReply(const PromptVerdict& verdict) {
  return JsonReply(400, PromptValidationBody(verdict.errors_json));
}

net::HttpResponse UpdatedReply(const std::string& id, const UpdateRequest& request,
                               const PromptVerdict& verdict) {
  json body = {
      {"status", "success"},
      {"message", "Prompts updated for stream " + id},
      {"request_id", id},
      {"prompts_count", request.prompt.count},
      {"parameters_updated", request.parameters_given && request.refused_parameters.empty()},
      // Asked for or not, each new prompt is rehearsed before it takes over between two frames.
      {"warmup_performed", request.warmup},
      {"prompt_revision", verdict.revision}};
  if (!request.refused_parameters.empty()) {
    json refused = json::object();
    for (const auto& [name, reason] : request.refused_parameters) refused[name] = reason;
    body["parameters_refused"] = std::move(refused);
  }
  return JsonReply(200, body);
}

net::HttpResponse UpdateFailedReply(const Error& error, std::chrono::nanoseconds retry_after) {
  const json body = {{"status", "error"},
                     {"error", error.message},
                     {"message", "Failed to update prompts: " + error.message}};
  if (error.code == ErrorCode::kUnavailable) return BusyReply(body, retry_after);
  unsigned status = 500;
  if (error.code == ErrorCode::kTimeout) status = 504;
  if (error.code == ErrorCode::kCancelled) status = 409;
  return JsonReply(status, body);
}

net::HttpResponse SwitchedReply(const std::string& id, const std::string& prompt_id) {
  return JsonReply(200, {{"status", "success"},
                         {"message", "Switched to prompt " + prompt_id + " for stream " + id},
                         {"request_id", id},
                         {"active_prompt_id", prompt_id}});
}

net::HttpResponse SwitchFailedReply(const Error& error, std::chrono::nanoseconds retry_after) {
  const json body = {{"status", "error"},
                     {"error", error.message},
                     {"message", "Failed to switch prompt: " + error.message}};
  if (error.code == ErrorCode::kUnavailable) return BusyReply(body, retry_after);
  unsigned status = 500;
  if (error.code == ErrorCode::kTimeout) status = 504;
  if (error.code == ErrorCode::kCancelled) status = 409;
  return JsonReply(status, body);
}

net::HttpResponse StoppedReply(const std::string& id) {
  return JsonReply(200,
                   {{"status", "success"}, {"message", "Stream " + id + " stopped successfully"}});
}

net::HttpResponse NothingToStopReply(const std::string& id) {
  const std::string message = "Stream " + id + " not found or failed to stop";
  return JsonReply(404, {{"status", "error"}, {"error", message}, {"message", message}});
}

net::HttpResponse AllStoppedReply(std::size_t count) {
  return JsonReply(
      200, {{"status", "stopped"}, {"message", "Stopped " + std::to_string(count) + " stream(s)"}});
}

net::HttpResponse NoStreamsReply() {
  return JsonReply(404, {{"status", "error"}, {"message", "No active streams found"}});
}

net::HttpResponse RestartedReply(const std::string& id) {
  return JsonReply(
      200, {{"status", "success"}, {"message", "Dedicated worker restarted for stream " + id}});
}

net::HttpResponse RestartFailedReply(const std::string& id, const Error& error,
                                     std::chrono::nanoseconds retry_after) {
  json body = {{"status", "error"},
               {"error", error.message},
               {"message", "Failed to restart the worker of stream " + id}};
  if (error.code == ErrorCode::kUnavailable) return BusyReply(std::move(body), retry_after);
  return JsonReply(error.code == ErrorCode::kCancelled ? 409 : 500, body);
}

net::HttpResponse StreamsReply(const StreamRegistry& registry) {
  json streams = json::object();
  for (const auto& [id, stream] : registry.streams()) streams[id] = stream->SummaryJson();
  return JsonReply(200, {{"count", streams.size()}, {"streams", streams}});
}

net::HttpResponse CurrentStatusReply(const StreamRegistry& registry) {
  if (registry.streams().empty()) {
    return JsonReply(
        200, {{"processing_active", false}, {"stream_count", 0}, {"message", "No active streams"}});
  }
  json all = json::object();
  for (const auto& [id, stream] : registry.streams()) all[id] = stream->SummaryJson();
  // The one that was started first of those that run, else of those that ran.
  std::shared_ptr<Stream> first;
  for (const auto& [id, stream] : registry.streams()) {
    const auto rank = std::pair(IsFinal(stream->state()), stream->created());
    if (!first || rank < std::pair(IsFinal(first->state()), first->created())) first = stream;
  }
  const json current = first->StatusJson();
  return JsonReply(200, {{"processing_active", current["running"]},
                         {"stream_count", all.size()},
                         {"current_stream", current},
                         {"all_streams", all}});
}

net::HttpResponse WorkerReply(const Stream& stream) {
  json body = {{"request_id", stream.config().id},
               {"worker_status", stream.WorkerJson()},
               {"pipeline_type", PipelineTypeName(stream.architecture())},
               {"architecture", ArchitectureName(stream.architecture())}};
  if (stream.architecture() == Architecture::kShared) {
    body["message"] = "Shared single-process pipeline, no dedicated worker";
  }
  return JsonReply(200, body);
}

net::HttpResponse PromptsReply(const Stream& stream) {
  const std::string active = PromptId(stream.prompt().text());
  json ids = json::array();
  json workers;
  if (const PromptWorkers* prompts = stream.prompts()) {
    for (const PromptWorkers::View& view : prompts->Views()) ids.push_back(view.id);
    workers = stream.WorkerJson()["prompt_workers"];
  } else {
    ids.push_back(active);
  }
  const Result<json> prompt = ParseJson(stream.prompt().text());
  return JsonReply(200, {{"status", "success"},
                         {"request_id", stream.config().id},
                         {"prompts", ids},
                         {"active_prompt_id", active},
                         {"total_prompts", ids.size()},
                         {"prompt_workers", std::move(workers)},
                         {"prompt_revision", stream.prompt().revision()},
                         {"active_prompt", prompt ? *prompt : json(nullptr)}});
}

net::HttpResponse WorkspaceReply(const Stream& stream,
                                 const std::optional<std::string>& workspace) {
  const stream::StreamConfig& config = stream.config();
  json settings = {{"cwd", nullptr},
                   {"disable_cuda_malloc", nullptr},
                   {"gpu_only", nullptr},
                   {"preview_method", nullptr}};
  json keys = json::array();
  for (const auto& [key, value] : settings.items()) keys.push_back(key);
  settings.update(stream::ToJson(config.worker));
  // Workers without a workspace run where the server runs.
  std::error_code error;
  std::string path = std::filesystem::current_path(error).string();
  if (workspace) path = *workspace;
  if (config.worker.cwd) path = *config.worker.cwd;
  json about = {{"workspace_path", path.empty() ? json(nullptr) : json(path)},
                {"pipeline_type", PipelineTypeName(stream.architecture())},
                {"architecture", ArchitectureName(stream.architecture())},
                {"config_keys", std::move(keys)},
                {"config", std::move(settings)},
                {"width", config.width},
                {"height", config.height},
                {"warmup", true},  // of each new prompt, before it takes over
                {"total_workers", stream.prompts() ? stream.prompts()->Views().size() : 1},
                {"active_prompt_id", PromptId(stream.prompt().text())},
                {"note", "native worker: a workspace holds input and output pictures"}};
  return JsonReply(
      200,
      {{"success", true}, {"stream_id", stream.config().id}, {"workspace_info", std::move(about)}});
}

net::HttpResponse TooManyReadersReply() {
  return BusyReply({{"error", "too many read what this stream's graph says"}}, kReadersRetryAfter);
}

net::HttpResponse ObjectInfoReply(const NodeCatalog& nodes) {
  return nodes.all() == nullptr ? NoNodesReply(nodes) : JsonTextReply(200, *nodes.all());
}

net::HttpResponse NodeInfoReply(const NodeCatalog& nodes, const std::string& name) {
  return nodes.all() == nullptr ? NoNodesReply(nodes) : JsonTextReply(200, nodes.OneOf(name));
}

net::HttpResponse RootReply() {
  json endpoints = json::array();
  for (const RouteEntry& entry : Routes()) {
    endpoints.push_back(std::string(entry.method) + " " + std::string(entry.pattern));
  }
  return JsonReply(
      200, {{"service", "framelockd"},
            {"version", kVersion},
            {"description", "AI workflows on live video, one isolated worker process a stream"},
            {"capabilities",
             {"video-processing", "trickle-streaming", "dedicated-worker-per-stream",
              "shared-worker", "worker-per-prompt"}},
            {"architecture",
             "One worker process for each stream, so that no stream can hurt another; one for each "
             "prompt, or one for several streams, where a stream asks for it"},
            {"endpoints", std::move(endpoints)},
            {"openapi", "/openapi.json"}});
}

}  // namespace framelock::api
