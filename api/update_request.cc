// SPDX-License-Identifier: Apache-2.0
#include "api/update_request.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

namespace framelock::api {

using nlohmann::json;

namespace {

Error Invalid(std::string message) {
  return Error{ErrorCode::kInvalidArgument, std::move(message)};
}

const json& Field(const json& object, const char* name) {
  static const json kNull;
  const auto it = object.find(name);
  return it == object.end() ? kNull : *it;
}

constexpr std::array kKnown = {"width",          "height", "cwd", "gpu_only", "disable_cuda_malloc",
                               "preview_method", "warmup"};

Result<std::optional<int>> TakeSide(const json& parameters, const char* name) {
  const json& value = Field(parameters, name);
  if (value.is_null()) return std::optional<int>();
  const std::optional<std::int64_t> side = WholeNumber(value);
  if (!side) return Invalid("parameters." + std::string(name) + " must be an integer");
  if (*side < stream::kMinSide || *side > stream::kMaxSide) {
    return Invalid("parameters." + std::string(name) + " must be " +
                   std::to_string(stream::kMinSide) + ".." + std::to_string(stream::kMaxSide));
  }
  return std::optional<int>(static_cast<int>(*side));
}

Status TakeSize(const json& parameters, UpdateRequest& request) {
  const Result<std::optional<int>> width = TakeSide(parameters, "width");
  if (!width) return width.error();
  const Result<std::optional<int>> height = TakeSide(parameters, "height");
  if (!height) return height.error();
  request.width = *width;
  request.height = *height;
  return {};
}

Status TakeSettings(const json& parameters, const WorkspaceRoot& workspaces,
                    UpdateRequest& request) {
  Result<stream::WorkerSettings> settings = stream::WorkerSettingsFromJson(parameters);
  if (!settings) return Invalid("parameters." + settings.error().message);
  if (settings->cwd) {
    Result<std::string> path = workspaces.Resolve(*settings->cwd);
    if (!path) return Invalid("parameters.cwd: " + path.error().message);
    settings->cwd = std::move(*path);
  }
  request.worker = std::move(*settings);
  return {};
}

Status TakeParameters(const json& parameters, const WorkspaceRoot& workspaces,
                      UpdateRequest& request) {
  if (parameters.is_null()) return {};
  if (!parameters.is_object()) return Invalid("parameters must be an object");
  request.parameters_given = !parameters.empty();
  if (Status taken = TakeSize(parameters, request); !taken) return taken;
  if (Status taken = TakeSettings(parameters, workspaces, request); !taken) return taken;
  const json& warmup = Field(parameters, "warmup");
  if (!warmup.is_null() && !warmup.is_boolean()) {
    return Invalid("parameters.warmup must be a boolean");
  }
  request.warmup = warmup.is_boolean() && warmup.get<bool>();
  for (const auto& [name, value] : parameters.items()) {
    if (!value.is_null() && std::find(kKnown.begin(), kKnown.end(), name) == kKnown.end()) {
      request.refused_parameters.emplace_back(name, "unknown parameter");
    }
  }
  return {};
}

}  // namespace

Result<UpdateRequest> ParseUpdateRequest(const json& body, const JsonLimits& prompt_limits,
                                         const WorkspaceRoot& workspaces) {
  if (!body.is_object()) return Invalid("the body must be a JSON object");
  const json& prompt = Field(body, "prompt");
  const json& prompts = Field(body, "prompts");
  if (prompt.is_null() == prompts.is_null()) {
    return Invalid(R"(Either "prompt" (JSON string) or "prompts" (list) must be provided)");
  }
  UpdateRequest request;
  Result<PromptChoice> chosen = ChoosePrompt(prompt, prompts, prompt_limits);
  if (!chosen) return chosen.error();
  if (chosen->text.empty()) {
    return Invalid(prompts.is_null() ? "prompt must not be empty"
                                     : "prompts must hold at least one prompt");
  }
  request.prompt = std::move(*chosen);
  if (Status taken = TakeParameters(Field(body, "parameters"), workspaces, request); !taken) {
    return taken.error();
  }
  return request;
}

Result<std::string> ParseSwitchRequest(const json& body) {
  if (!body.is_object()) return Invalid("the body must be a JSON object");
  const json& id = Field(body, "prompt_id");
  if (id.is_null()) return Invalid("Missing prompt_id");
  const auto* text = id.get_ptr<const std::string*>();
  if (text == nullptr) return Invalid("prompt_id must be a string");
  if (text->empty()) return Invalid("Missing prompt_id");
  return *text;
}

}  // namespace framelock::api
