// SPDX-License-Identifier: Apache-2.0
#include "api/prompt_choice.h"

#include <nlohmann/json.hpp>
#include <optional>

namespace framelock::api {

using nlohmann::json;

namespace {

Error Invalid(std::string message) {
  return Error{ErrorCode::kInvalidArgument, std::move(message)};
}

struct Prompt {
  std::string text;
  json graph;
};

// A text is passed on as it came, so that the worker sees what the client wrote.
Result<Prompt> FromText(const std::string& text, const JsonLimits& limits) {
  Result<json> graph = ParseJson(text, limits);
  if (!graph) return Invalid("Invalid prompt JSON: " + graph.error().message);
  if (!graph->is_object()) return Invalid("Invalid prompt JSON: a prompt is an object of nodes");
  return Prompt{text, std::move(*graph)};
}

Result<Prompt> FromValue(const json& value, const JsonLimits& limits) {
  if (const auto* text = value.get_ptr<const std::string*>()) return FromText(*text, limits);
  return Prompt{DumpJson(value), value};
}

bool IsPrompt(const json& value) { return value.is_string() || value.is_object(); }

Result<PromptChoice> FromList(const json& prompts, const JsonLimits& limits) {
  if (!prompts.is_array()) return Invalid("prompts must be a list of prompt objects");
  std::optional<Prompt> first;
  for (const json& item : prompts) {
    if (!IsPrompt(item)) return Invalid("prompts must be a list of prompt objects");
    Result<Prompt> prompt = FromValue(item, limits);
    if (!prompt) return prompt.error();
    if (first && first->graph != prompt->graph) {
      return Invalid(
          "prompts holds different prompts: a dedicated worker runs one graph a stream; send one");
    }
    if (!first) first = std::move(*prompt);
  }
  if (!first) return PromptChoice{};
  return PromptChoice{std::move(first->text), prompts.size()};
}

}  // namespace

Result<PromptChoice> ChoosePrompt(const json& prompt, const json& prompts,
                                  const JsonLimits& limits) {
  const bool absent =
      prompt.is_null() || (prompt.is_string() && prompt.get_ref<const std::string&>().empty());
  if (!absent) {
    if (!IsPrompt(prompt)) return Invalid("prompt must be a JSON string or an object of nodes");
    Result<Prompt> chosen = FromValue(prompt, limits);
    if (!chosen) return chosen.error();
    return PromptChoice{std::move(chosen->text), 1};
  }
  if (prompts.is_null()) return PromptChoice{};
  return FromList(prompts, limits);
}

}  // namespace framelock::api
