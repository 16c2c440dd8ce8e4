// SPDX-License-Identifier: Apache-2.0
#include "api/validation_errors.h"

#include <nlohmann/json.hpp>
#include <string>

#include "api/json_text.h"

namespace framelock::api {

using nlohmann::json;

namespace {

constexpr const char* kNodeErrorsMessage =
    "The provided prompt references models or values that are not available in this ComfyUI "
    "workspace";
constexpr std::size_t kMaxErrorDocumentBytes = 4 << 20;

const json& Field(const json& object, const char* name) {
  static const json kNull;
  if (!object.is_object()) return kNull;
  const auto it = object.find(name);
  return it == object.end() ? kNull : *it;
}

json Or(const json& value, const char* fallback) {
  return value.is_null() ? json(fallback) : value;
}

// The options of a combo, the type's name of a typed input, or [] where there is neither.
json ValidOptions(const json& extra) {
  const json& config = Field(extra, "input_config");
  return config.is_array() && !config.empty() ? config.front() : json::array();
}

json Entry(const std::string& node_id, const json& node_type, const json& error) {
  const json& extra = Field(error, "extra_info");
  return {{"node_id", node_id},
          {"node_type", Or(node_type, "unknown")},
          {"error_type", Or(Field(error, "type"), "unknown")},
          {"message", Or(Field(error, "message"), "")},
          {"details", Or(Field(error, "details"), "")},
          {"input_name", Or(Field(extra, "input_name"), "")},
          {"received_value", Or(Field(extra, "received_value"), "")},
          {"valid_options", ValidOptions(extra)}};
}

json NodeEntries(const json& node_errors) {
  json entries = json::array();
  if (!node_errors.is_object()) return entries;
  for (const auto& [node_id, node] : node_errors.items()) {
    const json& errors = Field(node, "errors");
    if (!errors.is_array()) continue;
    for (const json& error : errors) {
      if (entries.size() >= kMaxValidationErrors) return entries;
      entries.push_back(Entry(node_id, Field(node, "class_type"), error));
    }
  }
  return entries;
}

// An error of the whole prompt: the node that it names, if it names one.
json PromptEntry(const json& error) {
  const json& extra = Field(error, "extra_info");
  const json& id = Field(extra, "node_id");
  return Entry(id.is_string() ? id.get<std::string>() : "", Field(extra, "class_type"), error);
}

std::string MessageOf(const json& error) {
  if (error.is_string()) return error.get<std::string>();
  const json& message = Field(error, "message");
  if (!message.is_string()) return "the worker gave no reason";
  const json& details = Field(error, "details");
  const bool more = details.is_string() && !details.get_ref<const std::string&>().empty();
  return message.get<std::string>() + (more ? ": " + details.get<std::string>() : "");
}

}  // namespace

json PromptValidationBody(std::string_view worker_errors_json) {
  json body = {{"error", "Prompt validation failed"},
               {"message", "the worker's reasons are not readable"},
               {"validation_errors", json::array()}};
  if (worker_errors_json.size() > kMaxErrorDocumentBytes) return body;
  const Result<json> document = ParseJson(worker_errors_json);
  if (!document || !document->is_object()) return body;
  const bool wrapped = document->contains("node_errors") || document->contains("error");
  const json& error = Field(*document, "error");
  json entries = NodeEntries(wrapped ? Field(*document, "node_errors") : *document);
  if (!entries.empty()) {
    body["message"] = kNodeErrorsMessage;
  } else {
    body["message"] = MessageOf(error);
    if (error.is_object()) entries.push_back(PromptEntry(error));
  }
  body["validation_errors"] = std::move(entries);
  return body;
}

}  // namespace framelock::api
