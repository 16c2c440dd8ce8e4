// SPDX-License-Identifier: Apache-2.0
#include "api/prompt_choice.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "pipeline/net/md5.h"

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
  std::vector<Prompt> distinct;
  for (const json& item : prompts) {
    if (!IsPrompt(item)) return Invalid("prompts must be a list of prompt objects");
    Result<Prompt> prompt = FromValue(item, limits);
    if (!prompt) return prompt.error();
    const auto same = [&](const Prompt& other) { return other.graph == prompt->graph; };
    if (std::any_of(distinct.begin(), distinct.end(), same)) continue;
    if (distinct.size() >= kMaxDistinctPrompts) {
      return Invalid("prompts holds more than " + std::to_string(kMaxDistinctPrompts) +
                     " different prompts");
    }
    distinct.push_back(std::move(*prompt));
  }
  PromptChoice choice;
  if (distinct.empty()) return choice;
  choice.count = prompts.size();
  choice.text = std::move(distinct.front().text);
  for (std::size_t i = 1; i < distinct.size(); ++i) {
    choice.further.push_back(std::move(distinct[i].text));
  }
  return choice;
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
    return PromptChoice{std::move(chosen->text), 1, {}};
  }
  if (prompts.is_null()) return PromptChoice{};
  return FromList(prompts, limits);
}

std::vector<std::string> PromptChoice::distinct() const {
  std::vector<std::string> all{text};
  all.insert(all.end(), further.begin(), further.end());
  return all;
}

std::string PromptId(const std::string& prompt) {
  const json graph = json::parse(prompt, nullptr, false);
  return net::Md5Hex(graph.is_discarded() ? prompt : DumpJson(graph)).substr(0, 12);
}

Status CheckPromptCount(const PromptChoice& choice, Architecture architecture,
                        std::size_t max_prompts) {
  const std::size_t different = choice.further.size() + 1;
  if (architecture == Architecture::kPerPrompt) {
    if (different <= max_prompts) return {};
    return Invalid("prompts holds " + std::to_string(different) +
                   " different prompts: a stream has at most " + std::to_string(max_prompts) +
                   " prompt workers here");
  }
  if (different == 1) return {};
  return Invalid(std::string("prompts holds different prompts: a ") +
                 (architecture == Architecture::kShared ? "shared" : "dedicated") +
                 " worker runs one graph a stream; send one, or start the stream with "
                 "use_prompt_worker");
}

}  // namespace framelock::api
