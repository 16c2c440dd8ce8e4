// SPDX-License-Identifier: Apache-2.0
#include "workers/graph/node_spec.h"

#include <utility>

namespace framelock::graph {

InputSpec ImageInput(std::string name) {
  return {.name = std::move(name), .type = "IMAGE", .kind = ValueKind::kImage};
}

InputSpec MaskInput(std::string name) {
  return {.name = std::move(name), .type = "MASK", .kind = ValueKind::kMask};
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

InputSpec ChoiceInput(std::string name, std::vector<std::string> choices) {
  return {.name = std::move(name),
          .type = "COMBO",
          .kind = ValueKind::kString,
          .choices = std::move(choices)};
}

InputSpec Optional(InputSpec input) {
  input.presence = Presence::kOptional;
  return input;
}

Json InputConfig(const InputSpec& input, SchemaStyle style) {
  if (input.choices.empty()) {
    return Json::array({input.type, input.options});
  }
  if (style == SchemaStyle::kClassic) {
    return Json::array({input.choices, input.options});
  }
  Json options = input.options;
  options["multiselect"] = false;
  options["options"] = input.choices;
  return Json::array({"COMBO", std::move(options)});
}

}  // namespace framelock::graph
