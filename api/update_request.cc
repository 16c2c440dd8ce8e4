// SPDX-License-Identifier: Apache-2.0
#include "api/update_request.h"

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

// Why a parameter does not hold; empty: it does.
std::string RefusalOf(const std::string& name, const json& value,
                      const stream::StreamConfig& running) {
  if (name == "width" || name == "height") {
    const int current = name == "width" ? running.width : running.height;
    if (value == json(current)) return {};
    return "fixed at " + std::to_string(current) + " since the start; stop and start the stream";
  }
  if (name == "warmup") return {};
  if (name == "cwd" || name == "gpu_only" || name == "disable_cuda_malloc") {
    return "this server's workers have no such setting";
  }
  return "unknown parameter";
}

Status CheckType(const std::string& name, const json& value) {
  if ((name == "width" || name == "height") && !value.is_number_integer()) {
    return Invalid("parameters." + name + " must be an integer");
  }
  if ((name == "warmup" || name == "gpu_only" || name == "disable_cuda_malloc") &&
      !value.is_boolean()) {
    return Invalid("parameters." + name + " must be a boolean");
  }
  if (name == "cwd" && !value.is_string()) return Invalid("parameters.cwd must be a string");
  return {};
}

Status TakeParameters(const json& parameters, const stream::StreamConfig& running,
                      UpdateRequest& request) {
  if (parameters.is_null()) return {};
  if (!parameters.is_object()) return Invalid("parameters must be an object");
  request.parameters_given = !parameters.empty();
  for (const auto& [name, value] : parameters.items()) {
    if (value.is_null()) continue;
    if (Status type = CheckType(name, value); !type) return type;
    if (std::string reason = RefusalOf(name, value, running); !reason.empty()) {
      request.refused_parameters.emplace_back(name, std::move(reason));
    }
  }
  return {};
}

}  // namespace

Result<UpdateRequest> ParseUpdateRequest(const json& body, const stream::StreamConfig& running,
                                         const JsonLimits& prompt_limits) {
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
  if (Status taken = TakeParameters(Field(body, "parameters"), running, request); !taken) {
    return taken.error();
  }
  return request;
}

}  // namespace framelock::api
