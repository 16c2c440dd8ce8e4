// SPDX-License-Identifier: Apache-2.0
#include "api/update_request.h"

#include <nlohmann/json.hpp>

#include "pipeline/stream/stream_config.h"

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

// Why a parameter does not hold; empty: it does.
std::string RefusalOf(const std::string& name) {
  if (name == "width" || name == "height" || name == "warmup") return {};
  if (name == "cwd" || name == "gpu_only" || name == "disable_cuda_malloc") {
    return "this server's workers have no such setting";
  }
  return "unknown parameter";
}

Status CheckType(const std::string& name, const json& value) {
  if ((name == "warmup" || name == "gpu_only" || name == "disable_cuda_malloc") &&
      !value.is_boolean()) {
    return Invalid("parameters." + name + " must be a boolean");
  }
  if (name == "cwd" && !value.is_string()) return Invalid("parameters.cwd must be a string");
  return {};
}

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

Status TakeParameters(const json& parameters, UpdateRequest& request) {
  if (parameters.is_null()) return {};
  if (!parameters.is_object()) return Invalid("parameters must be an object");
  request.parameters_given = !parameters.empty();
  if (Status taken = TakeSize(parameters, request); !taken) return taken;
  for (const auto& [name, value] : parameters.items()) {
    if (value.is_null()) continue;
    if (Status type = CheckType(name, value); !type) return type;
    if (std::string reason = RefusalOf(name); !reason.empty()) {
      request.refused_parameters.emplace_back(name, std::move(reason));
    }
  }
  return {};
}

}  // namespace

Result<UpdateRequest> ParseUpdateRequest(const json& body, const JsonLimits& prompt_limits) {
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
  if (Status taken = TakeParameters(Field(body, "parameters"), request); !taken) {
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
