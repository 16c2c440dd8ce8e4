// SPDX-License-Identifier: Apache-2.0
#include "workers/graph/validate_input.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "workers/graph/python_text.h"

namespace framelock::graph {

namespace {

std::vector<std::string_view> SplitTypes(std::string_view types) {
  std::vector<std::string_view> split;
  while (true) {
    const std::size_t comma = types.find(',');
    std::string_view one = types.substr(0, comma);
    one.remove_prefix(std::min(one.find_first_not_of(' '), one.size()));
    one = one.substr(0, one.find_last_not_of(' ') + 1);
    split.push_back(one);
    if (comma == std::string_view::npos) {
      return split;
    }
    types.remove_prefix(comma + 1);
  }
}

// Python compares ints and floats exactly, and so do numbers that hold both.
bool Less(const Json& a, const Json& b) {
  static_assert(std::numeric_limits<long double>::digits >= 64);
  return a.get<long double>() < b.get<long double>();
}

std::optional<Json> Convert(const NodeInput& input, SchemaStyle style, Json& value) {
  Converted converted{value, {}};
  if (input.spec->type == "INT") {
    converted = PythonInt(value);
  } else if (input.spec->type == "FLOAT") {
    converted = PythonFloat(value);
  } else if (input.spec->type == "STRING") {
    converted.value = PythonStr(value);
  } else if (input.spec->type == "BOOLEAN") {
    converted.value = PythonTruth(value);
  } else if (value.is_array()) {
    converted.exception = "a list is a link, and no link hides in __value__";
  }
  if (converted.ok()) {
    value = std::move(converted.value);
    return std::nullopt;
  }
  return MakeError("invalid_input_type",
                   "Failed to convert an input value to a " + input.spec->type + " value",
                   input.name + ", " + PythonStr(value) + ", " + converted.exception,
                   {{"input_name", input.name},
                    {"input_config", InputConfig(*input.spec, style)},
                    {"received_value", value},
                    {"exception_message", converted.exception}});
}

std::optional<Json> CheckBounds(const NodeInput& input, SchemaStyle style, const Json& value) {
  const auto error = [&](const char* type, const char* relation, const Json& bound) {
    return MakeError(type, "Value " + PythonStr(value) + relation + PythonStr(bound), input.name,
                     {{"input_name", input.name},
                      {"input_config", InputConfig(*input.spec, style)},
                      {"received_value", value}});
  };
  if (!value.is_number()) {
    return std::nullopt;
  }
  const auto min = input.spec->options.find("min");
  if (min != input.spec->options.end() && Less(value, *min)) {
    return error("value_smaller_than_min", " smaller than min of ", *min);
  }
  const auto max = input.spec->options.find("max");
  if (max != input.spec->options.end() && Less(*max, value)) {
    return error("value_bigger_than_max", " bigger than max of ", *max);
  }
  return std::nullopt;
}

std::optional<Json> CheckRefusal(const NodeInput& input, const Json& value) {
  const std::optional<std::string> reason =
      value.is_string() ? input.spec->refuse(value.get_ref<const std::string&>())
                        : "a text is wanted, not " + PythonStr(value);
  if (!reason) {
    return std::nullopt;
  }
  return CustomError(input.name, *reason);
}

// What has a backslash is taken for a path, and compared as pathlib writes it: without "." and
// empty parts.
std::string CleanPath(std::string text) {
  std::ranges::replace(text, '\\', '/');
  // Two slashes in front, but not three, are a root of their own.
  const std::size_t slashes = std::min(text.find_first_not_of('/'), text.size());
  const std::string root(slashes == 2 ? 2 : std::min<std::size_t>(slashes, 1), '/');
  std::string parts;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('/', begin), text.size());
    const std::string_view part = std::string_view(text).substr(begin, end - begin);
    if (!part.empty() && part != ".") {
      parts += parts.empty() ? "" : "/";
      parts += part;
    }
    begin = end + 1;
  }
  return root.empty() && parts.empty() ? "." : root + parts;
}

std::optional<Json> CheckChoice(const NodeInput& input, SchemaStyle style, const Json& value) {
  const bool path =
      value.is_string() && value.get_ref<const std::string&>().find('\\') != std::string::npos;
  const Json received = path ? Json(CleanPath(value.get<std::string>())) : value;
  if (received.is_string() &&
      std::ranges::find(input.spec->choices, received.get_ref<const std::string&>()) !=
          input.spec->choices.end()) {
    return std::nullopt;
  }
  const bool shown = input.spec->choices.size() <= kMostOptionsShown;
  return MakeError(
      "value_not_in_list", "Value not in list",
      input.name + ": '" + PythonStr(received) + "' not in " +
          (shown ? PythonRepr(Json(input.spec->choices))
                 : "(list of length " + std::to_string(input.spec->choices.size()) + ")"),
      {{"input_name", input.name},
       {"input_config", shown ? InputConfig(*input.spec, style) : Json()},
       {"received_value", received}});
}

// prompt[node_id], for a node id of any type.
std::optional<PythonException> FindNode(const Prompt& prompt, const Json& id, std::size_t& node) {
  if (id.is_structured()) {
    return PythonException{"TypeError",
                           std::string("unhashable type: '") + PythonTypeName(id) + "'"};
  }
  const std::optional<std::size_t> found =
      id.is_string() ? prompt.Find(id.get_ref<const std::string&>()) : std::nullopt;
  if (!found) {
    return PythonException{"KeyError", PythonRepr(id)};
  }
  node = *found;
  return std::nullopt;
}

}  // namespace

Json MakeError(const char* type, const std::string& message, const std::string& details,
               Json extra_info) {
  return {{"type", type},
          {"message", message},
          {"details", details},
          {"extra_info", std::move(extra_info)}};
}

Json CustomError(const std::string& input, const std::string& reason) {
  return MakeError("custom_validation_failed", "Custom validation failed for node",
                   input + " - " + reason, {{"input_name", input}});
}

std::optional<PythonException> ResolveLink(const NodeRegistry& registry, const Prompt& prompt,
                                           const Json& link, LinkTarget& target) {
  if (auto missing = FindNode(prompt, link[0], target.node)) {
    return missing;
  }
  const PromptNode& node = prompt.nodes()[target.node];
  const NodeSpec& spec = registry.Find(node.class_type->get_ref<const std::string&>())->spec;
  const std::string sequence = spec.style == SchemaStyle::kClassic ? "tuple" : "list";
  const Json& slot = link[1];
  if (!slot.is_number_integer() && !slot.is_boolean()) {
    return PythonException{
        "TypeError", sequence + " indices must be integers or slices, not " + PythonTypeName(slot)};
  }
  const auto count = static_cast<std::int64_t>(spec.outputs.size());
  std::int64_t index = slot.is_boolean() ? (slot.get<bool>() ? 1 : 0) : slot.get<std::int64_t>();
  const bool huge = slot.is_number_unsigned() && slot.get<std::uint64_t>() > INT64_MAX;
  if (huge || index < -count || index >= count) {
    return PythonException{"IndexError", sequence + " index out of range"};
  }
  index += index < 0 ? count : 0;
  target.slot = static_cast<std::size_t>(index);
  return std::nullopt;
}

bool TypesMatch(std::string_view output, const InputSpec& input, SchemaStyle style) {
  const bool list_type =
      (!input.choices.empty() || input.find_choices) && style == SchemaStyle::kClassic;
  if (output == kMatchType || input.type == kMatchType) {
    return true;
  }
  if (list_type) {
    return output == "*";
  }
  const std::vector<std::string_view> outputs = SplitTypes(output);
  const std::vector<std::string_view> inputs = SplitTypes(input.type);
  const auto is_wild = [](std::string_view type) { return type == "*"; };
  return std::ranges::any_of(outputs, is_wild) || std::ranges::any_of(inputs, is_wild) ||
         std::ranges::any_of(outputs, [&](std::string_view type) {
           return std::ranges::find(inputs, type) != inputs.end();
         });
}

std::optional<Json> CheckLiteral(const NodeInput& input, SchemaStyle style, Json& value) {
  if (value.is_object() && value.contains("__value__")) {
    Json literal = value["__value__"];
    value = std::move(literal);
  }
  if (auto error = Convert(input, style, value)) {
    return error;
  }
  if (auto error = CheckBounds(input, style, value)) {
    return error;
  }
  if (input.spec->refuse) {
    return CheckRefusal(input, value);
  }
  return input.spec->choices.empty() ? std::nullopt : CheckChoice(input, style, value);
}

}  // namespace framelock::graph
