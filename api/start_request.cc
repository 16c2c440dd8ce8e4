// SPDX-License-Identifier: Apache-2.0
#include "api/start_request.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "api/stream_url.h"

namespace framelock::api {

using nlohmann::json;

namespace {

constexpr std::int64_t kLongestTimeoutMs = 86'400'000;

Error Invalid(std::string message) {
  return Error{ErrorCode::kInvalidArgument, std::move(message)};
}

const json& Field(const json& object, const char* name) {
  static const json kNull;
  const auto it = object.find(name);
  return it == object.end() ? kNull : *it;
}

// The body and its params, params first.
class Parameters {
 public:
  explicit Parameters(const json& body) : body_(body), params_(Field(body, "params")) {}

  [[nodiscard]] const json& operator[](const char* name) const {
    if (params_.is_object()) {
      if (const json& value = Field(params_, name); !value.is_null()) return value;
    }
    return Field(body_, name);
  }

 private:
  const json& body_;
  const json& params_;
};

Status TakeUrl(const json& body, const char* name, json& config) {
  const json& value = Field(body, name);
  if (value.is_null()) return {};
  const auto* url = value.get_ptr<const std::string*>();
  if (url == nullptr) return Invalid(std::string(name) + " must be a string");
  Result<std::string> checked = CheckStreamUrl(*url);
  if (!checked) return Invalid("Invalid " + std::string(name) + ": " + checked.error().message);
  config[name] = std::move(*checked);
  return {};
}

Status TakeUrls(const json& body, json& config) {
  for (const char* name : {"subscribe_url", "publish_url"}) {
    if (Field(body, name).is_null()) return Invalid("Missing required field: " + std::string(name));
  }
  for (const char* name : {"subscribe_url", "publish_url", "data_url"}) {
    if (Status taken = TakeUrl(body, name, config); !taken) return taken;
  }
  json checked_only = json::object();  // no channel of ours uses them
  for (const char* name : {"control_url", "events_url"}) {
    if (Status taken = TakeUrl(body, name, checked_only); !taken) return taken;
  }
  return {};
}

Result<std::string> TakeId(const json& body, std::optional<std::string_view> header_id) {
  for (const char* name : {"gateway_request_id", "request_id", "stream_id"}) {
    const json& value = Field(body, name);
    if (value.is_null()) continue;
    const auto* id = value.get_ptr<const std::string*>();
    if (id == nullptr) return Invalid(std::string(name) + " must be a string");
    if (!IsStreamId(*id)) {
      return Invalid(std::string(name) +
                     " must be 1 to 128 letters, digits or ._:~@+=- and no word of the routes");
    }
    return *id;
  }
  if (header_id) {
    if (!IsStreamId(*header_id)) return Invalid("header X-Stream-Id holds no usable stream id");
    return std::string(*header_id);
  }
  if (body.contains("params")) return Invalid("Missing required field: gateway_request_id");
  return std::string();
}

Status TakeSizes(const Parameters& params, json& config) {
  for (const char* name : {"width", "height"}) {
    const json& value = params[name];
    if (value.is_null()) continue;
    const std::optional<std::int64_t> number = WholeNumber(value);
    if (!number) {
      return Invalid("Width and height must be valid integers or integer strings: " +
                     std::string(name));
    }
    config[name] = *number;
  }
  return {};
}

Status TakeFramerate(const Parameters& params, json& config) {
  const json& value = params["max_framerate"];
  if (value.is_null()) return {};
  const std::optional<std::int64_t> number = WholeNumber(value);
  if (!number) return Invalid("max_framerate must be a valid integer");
  if (*number < 1) return Invalid("max_framerate must be a positive integer");
  if (*number > 60) return Invalid("max_framerate cannot exceed 60 FPS");
  config["max_framerate"] = *number;
  return {};
}

// Extras of ours: StreamConfigFromJson checks type and range.
void TakeTuning(const Parameters& params, json& config) {
  for (const char* name : {"gop_seconds",
                           "bitrate_kbps",
                           "encoder",
                           "on_missing",
                           "cadence",
                           "latency_ms",
                           "max_in_flight",
                           "max_input_pixels",
                           "audio",
                           "audio_buffer_ms",
                           "max_text_bytes",
                           "max_waiting_texts",
                           "input_retry_seconds",
                           "worker_heartbeat_timeout_ms",
                           "worker_first_frame_timeout_ms",
                           "worker_frame_timeout_ms",
                           "worker_frame_timeout_factor",
                           "worker_load_timeout_ms",
                           "cwd",
                           "gpu_only",
                           "disable_cuda_malloc",
                           "preview_method"}) {
    if (const json& value = params[name]; !value.is_null()) config[name] = value;
  }
}

Result<bool> TakeFlag(const Parameters& params, const char* name, bool otherwise) {
  const json& value = params[name];
  if (value.is_null()) return otherwise;
  if (!value.is_boolean()) return Invalid(std::string(name) + " must be a boolean");
  return value.get<bool>();
}

Status TakeArchitecture(const Parameters& params, StartRequest& request) {
  const Result<bool> dedicated = TakeFlag(params, "dedicated_worker", true);
  if (!dedicated) return dedicated.error();
  const Result<bool> per_prompt = TakeFlag(params, "use_prompt_worker", false);
  if (!per_prompt) return per_prompt.error();
  request.dedicated_worker = *dedicated;
  if (*per_prompt) {
    request.architecture = Architecture::kPerPrompt;
  } else if (!*dedicated) {
    request.architecture = Architecture::kShared;
  }
  return {};
}

Result<stream::StreamConfig> ReadConfig(const json& body, std::optional<std::string_view> header_id,
                                        const stream::StreamConfig& defaults) {
  const Parameters params(body);
  json config = json::object();
  if (Status status = TakeUrls(body, config); !status) return status.error();
  Result<std::string> id = TakeId(body, header_id);
  if (!id) return id.error();
  if (Status status = TakeSizes(params, config); !status) return status.error();
  if (Status status = TakeFramerate(params, config); !status) return status.error();
  TakeTuning(params, config);
  config["id"] = id->empty() ? "unnamed" : *id;
  Result<stream::StreamConfig> checked = stream::StreamConfigFromJson(config, defaults);
  if (checked) checked->id = std::move(*id);
  return checked;
}

}  // namespace

bool IsStreamId(std::string_view id) {
  static constexpr std::string_view kSigns = "._:~@+=-";
  static constexpr std::array<std::string_view, 5> kTaken{".", "..", "start", "stop", "status"};
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kSigns.find(c) != std::string_view::npos;
  };
  return !id.empty() && id.size() <= 128 &&
         std::find(kTaken.begin(), kTaken.end(), id) == kTaken.end() &&
         std::all_of(id.begin(), id.end(), allowed);
}

void AllowForTurns(std::size_t streams, stream::StreamConfig& config) {
  const auto times = [streams](int milliseconds) {
    const std::int64_t product =
        static_cast<std::int64_t>(milliseconds) * static_cast<std::int64_t>(streams);
    return static_cast<int>(std::min<std::int64_t>(product, kLongestTimeoutMs));
  };
  config.worker_frame_timeout_ms =
      std::max(times(config.worker_frame_timeout_ms), config.worker_first_frame_timeout_ms);
  config.worker_first_frame_timeout_ms = times(config.worker_first_frame_timeout_ms);
}

Result<StartRequest> ParseStartRequest(const json& body, std::optional<std::string_view> header_id,
                                       const JsonLimits& prompt_limits,
                                       const stream::StreamConfig& defaults,
                                       const WorkspaceRoot& workspaces) {
  if (!body.is_object()) return Invalid("the body must be a JSON object");
  if (const json& params = Field(body, "params"); !params.is_null() && !params.is_object()) {
    return Invalid("params must be an object or null");
  }
  Result<stream::StreamConfig> config = ReadConfig(body, header_id, defaults);
  if (!config) return config.error();
  if (config->worker.cwd) {
    Result<std::string> path = workspaces.Resolve(*config->worker.cwd);
    if (!path) return Invalid("cwd: " + path.error().message);
    config->worker.cwd = std::move(*path);
  }
  const Parameters params(body);
  StartRequest request;
  request.config = std::move(*config);
  if (Status taken = TakeArchitecture(params, request); !taken) return taken.error();
  Result<PromptChoice> prompt = ChoosePrompt(params["prompt"], params["prompts"], prompt_limits);
  if (!prompt) return prompt.error();
  request.prompt = std::move(*prompt);
  return request;
}

}  // namespace framelock::api
