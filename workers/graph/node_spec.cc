// SPDX-License-Identifier: Apache-2.0
#include "workers/graph/node_spec.h"

#include <algorithm>
#include <utility>

namespace framelock::graph {

namespace {

// {"required": {name: config}, "optional": …}, of those that there are.
Json GroupedConfigs(const std::vector<InputSpec>& inputs, SchemaStyle style) {
  Json groups = Json::object();
  for (const InputSpec& input : inputs) {
    const char* group = input.presence == Presence::kRequired ? "required" : "optional";
    groups[group][input.name] = InputConfig(input, style);
  }
  return groups;
}

Json AutogrowConfig(const InputSpec& input, SchemaStyle style) {
  Json shown{{"input", GroupedConfigs(input.members, style)},
             {"prefix", input.grows->prefix},
             {"min", input.grows->min},
             {"max", input.grows->max}};
  return Json::array({input.type, {{"template", std::move(shown)}}});
}

Json DynamicComboConfig(const InputSpec& input, SchemaStyle style) {
  Json options = Json::array();
  for (const ComboBranch& branch : input.branches) {
    options.push_back({{"key", branch.key}, {"inputs", GroupedConfigs(branch.inputs, style)}});
  }
  return Json::array({input.type, {{"options", std::move(options)}}});
}

}  // namespace

InputSpec ImageInput(std::string name) {
  return {.name = std::move(name), .type = "IMAGE", .kind = ValueKind::kImage};
}

InputSpec MaskInput(std::string name) {
  return {.name = std::move(name), .type = "MASK", .kind = ValueKind::kMask};
}

InputSpec AudioInput(std::string name) {
  return {.name = std::move(name), .type = "AUDIO", .kind = ValueKind::kAudio};
}

InputSpec IntInput(std::string name, const IntRange& range) {
  InputSpec input{.name = std::move(name), .type = "INT", .kind = ValueKind::kInt};
  input.options = {{"default", range.value}, {"min", range.min}, {"max", range.max}};
  if (range.step) {
    input.options["step"] = *range.step;
  }
  return input;
}

InputSpec FloatInput(std::string name, const FloatRange& range) {
  InputSpec input{.name = std::move(name), .type = "FLOAT", .kind = ValueKind::kFloat};
  input.options = {{"default", range.value}, {"min", range.min}, {"max", range.max}};
  if (range.step) {
    input.options["step"] = *range.step;
  }
  return input;
}

InputSpec BooleanInput(std::string name, std::optional<bool> value) {
  InputSpec input{.name = std::move(name), .type = "BOOLEAN", .kind = ValueKind::kBoolean};
  if (value) {
    input.options["default"] = *value;
  }
  return input;
}

InputSpec StringInput(std::string name) {
  return {.name = std::move(name), .type = "STRING", .kind = ValueKind::kString};
}

InputSpec ChoiceInput(std::string name, std::vector<std::string> choices,
                      std::optional<std::string> value) {
  InputSpec input{.name = std::move(name),
                  .type = "COMBO",
                  .kind = ValueKind::kString,
                  .choices = std::move(choices)};
  if (value) {
    input.options["default"] = *value;
  }
  return input;
}

InputSpec ImageOrMaskInput(std::string name) {
  return {.name = std::move(name), .type = "IMAGE,MASK", .kind = ValueKind::kImageOrMask};
}

InputSpec MatchInput(std::string name, std::string template_id, std::string allowed) {
  const ValueKind kind = allowed == "IMAGE,MASK" ? ValueKind::kImageOrMask : ValueKind::kAny;
  InputSpec input{.name = std::move(name), .type = kMatchType, .kind = kind};
  input.options["template"] = {{"template_id", std::move(template_id)},
                               {"allowed_types", std::move(allowed)}};
  return input;
}

InputSpec AutogrowInput(std::string name, InputSpec member, GrowRange range) {
  InputSpec input{.name = std::move(name), .type = "COMFY_AUTOGROW_V3"};
  input.grows = std::move(range);
  input.members.push_back(std::move(member));
  return input;
}

InputSpec DynamicComboInput(std::string name, std::vector<ComboBranch> branches) {
  InputSpec input{
      .name = std::move(name), .type = "COMFY_DYNAMICCOMBO_V3", .kind = ValueKind::kString};
  input.branches = std::move(branches);
  return input;
}

InputSpec ShowsNoOptions(InputSpec input) {
  input.shows_no_options = true;
  return input;
}

InputSpec Optional(InputSpec input) {
  input.presence = Presence::kOptional;
  return input;
}

InputSpec Lazy(InputSpec input) {
  input.laziness = Laziness::kLazy;
  input.options["lazy"] = true;
  return input;
}

Json InputConfig(const InputSpec& input, SchemaStyle style, std::size_t most_found) {
  if (input.grows) {
    return AutogrowConfig(input, style);
  }
  if (!input.branches.empty()) {
    return DynamicComboConfig(input, style);
  }
  if (input.choices.empty() && !input.find_choices) {
    return Json::array({input.type, input.options});
  }
  std::vector<std::string> choices = input.choices;
  if (input.find_choices) {
    choices = input.find_choices();
    choices.resize(std::min(choices.size(), most_found));
  }
  if (style == SchemaStyle::kClassic) {
    return Json::array({choices, input.options});
  }
  Json options = input.options;
  options["multiselect"] = false;
  options["options"] = choices;
  return Json::array({"COMBO", std::move(options)});
}

}  // namespace framelock::graph
