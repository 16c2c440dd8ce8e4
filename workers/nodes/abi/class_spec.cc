// SPDX-License-Identifier: Apache-2.0
#include "workers/nodes/abi/class_spec.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

namespace framelock::nodes {

namespace {

struct Type {
  std::uint32_t id;
  const char* name;
  graph::ValueKind kind;
};
constexpr Type kTypes[] = {
    {FRAMELOCK_IMAGE, "IMAGE", graph::ValueKind::kImage},
    {FRAMELOCK_MASK, "MASK", graph::ValueKind::kMask},
    {FRAMELOCK_INT, "INT", graph::ValueKind::kInt},
    {FRAMELOCK_FLOAT, "FLOAT", graph::ValueKind::kFloat},
    {FRAMELOCK_BOOLEAN, "BOOLEAN", graph::ValueKind::kBoolean},
    {FRAMELOCK_STRING, "STRING", graph::ValueKind::kString},
    {FRAMELOCK_COMBO, "COMBO", graph::ValueKind::kString},
};

const Type* FindType(std::uint32_t id) {
  const auto* found = std::ranges::find(kTypes, id, &Type::id);
  return found == std::ranges::end(kTypes) ? nullptr : found;
}

Error Malformed(std::string text) { return {ErrorCode::kInvalidArgument, std::move(text)}; }

bool IsBlank(const char* text) { return text == nullptr || *text == '\0'; }

Error UnknownType(std::uint32_t type) {
  return Malformed("there is no type " + std::to_string(type));
}

// Comparisons are written so that not a number is refused.
template <typename Range>
Status AddRange(const Range& range, graph::Json& options) {
  for (const auto number : {range.value, range.min, range.max, range.step}) {
    if (!std::isfinite(static_cast<double>(number))) {
      return Malformed("its range is not finite");
    }
  }
  const bool bounded = range.min != 0 || range.max != 0;
  if (bounded && !(range.min < range.max)) {
    return Malformed("min is not below max");
  }
  if (bounded && !(range.value >= range.min && range.value <= range.max)) {
    return Malformed("the default is not within min and max");
  }
  if (!(range.step >= 0)) {
    return Malformed("step is negative");
  }
  options["default"] = range.value;
  if (bounded) {
    options["min"] = range.min;
    options["max"] = range.max;
  }
  if (range.step > 0) {
    options["step"] = range.step;
  }
  return {};
}

Status AddChoices(const framelock_input& given, graph::InputSpec& spec) {
  if (given.options == nullptr || given.option_count == 0) {
    return Malformed("it has no options");
  }
  for (std::size_t i = 0; i < given.option_count; ++i) {
    if (given.options[i] == nullptr) {
      return Malformed("option " + std::to_string(i) + " is null");
    }
    spec.choices.emplace_back(given.options[i]);
  }
  if (given.text != nullptr &&
      std::ranges::find(spec.choices, std::string(given.text)) == spec.choices.end()) {
    return Malformed("the default is not one of the options");
  }
  return {};
}

Status AddOptions(const framelock_input& given, graph::InputSpec& spec) {
  switch (given.type) {
    case FRAMELOCK_INT:
      return AddRange(given.int_range, spec.options);
    case FRAMELOCK_FLOAT:
      return AddRange(given.float_range, spec.options);
    case FRAMELOCK_BOOLEAN:
      spec.options["default"] = given.boolean != 0;
      return {};
    case FRAMELOCK_COMBO:
      if (Status added = AddChoices(given, spec); !added.ok()) {
        return added;
      }
      [[fallthrough]];
    case FRAMELOCK_STRING:
      if (given.text != nullptr) {
        spec.options["default"] = given.text;
      }
      return {};
    default:
      return {};
  }
}

Result<graph::InputSpec> InputOf(const framelock_input& given) {
  const Type* type = FindType(given.type);
  if (type == nullptr) {
    return UnknownType(given.type);
  }
  if ((given.flags & ~FRAMELOCK_OPTIONAL) != 0) {
    return Malformed("it has unknown flags");
  }
  graph::InputSpec spec{.name = given.name, .type = type->name, .kind = type->kind};
  if (Status added = AddOptions(given, spec); !added.ok()) {
    return added.error();
  }
  if (given.tooltip != nullptr) {
    spec.options["tooltip"] = given.tooltip;
  }
  if ((given.flags & FRAMELOCK_OPTIONAL) != 0) {
    spec.presence = graph::Presence::kOptional;
  }
  return spec;
}

Status AddInputs(const framelock_class& given, graph::NodeSpec& spec) {
  for (std::size_t i = 0; i < given.input_count; ++i) {
    const framelock_input& input = given.inputs[i];
    if (IsBlank(input.name)) {
      return Malformed("input " + std::to_string(i) + " has no name");
    }
    const std::string name = input.name;
    if (std::ranges::find(spec.inputs, name, &graph::InputSpec::name) != spec.inputs.end()) {
      return Malformed("input '" + name + "': there are two");
    }
    Result<graph::InputSpec> made = InputOf(input);
    if (!made.ok()) {
      return Malformed("input '" + name + "': " + made.error().message);
    }
    spec.inputs.push_back(std::move(*made));
  }
  return {};
}

Status AddOutputs(const framelock_class& given, graph::NodeSpec& spec) {
  for (std::size_t i = 0; i < given.output_count; ++i) {
    const framelock_output& output = given.outputs[i];
    const Type* type = FindType(output.type);
    if (type == nullptr || type->id == FRAMELOCK_COMBO) {
      return Malformed("output " + std::to_string(i) + ": " +
                       (type == nullptr ? UnknownType(output.type).message
                                        : "a COMBO is an input; a text goes out as a STRING"));
    }
    spec.outputs.push_back({type->name, output.name == nullptr ? type->name : output.name});
  }
  return {};
}

Status Fill(const framelock_class& given, graph::NodeSpec& spec) {
  if (given.execute == nullptr) {
    return Malformed("it has no execute");
  }
  if ((given.flags & ~FRAMELOCK_OUTPUT_NODE) != 0) {
    return Malformed("it has unknown flags");
  }
  if ((given.inputs == nullptr && given.input_count != 0) ||
      (given.outputs == nullptr && given.output_count != 0)) {
    return Malformed("its list of inputs or outputs is null");
  }
  if (Status added = AddInputs(given, spec); !added.ok()) {
    return added;
  }
  return AddOutputs(given, spec);
}

}  // namespace

graph::ValueKind KindOf(std::uint32_t type) {
  const Type* found = FindType(type);
  return found == nullptr ? graph::ValueKind::kAny : found->kind;
}

Result<graph::NodeSpec> SpecOf(const framelock_class& given, const std::string& module) {
  // Read first: nothing behind it is there in a structure of another size.
  if (given.size != sizeof(framelock_class)) {
    return Malformed("a class has a size of " + std::to_string(given.size) + " bytes, not " +
                     std::to_string(sizeof(framelock_class)) +
                     ": it was built with the header of another version");
  }
  if (IsBlank(given.class_type)) {
    return Malformed("a class has no class_type");
  }
  graph::NodeSpec spec{.class_type = given.class_type,
                       .category = given.category == nullptr ? "" : given.category,
                       .python_module = "custom_nodes." + module,
                       .style = graph::SchemaStyle::kSchema,
                       .is_output = (given.flags & FRAMELOCK_OUTPUT_NODE) != 0,
                       .sink = graph::Medium::kNone,
                       .freshness = given.is_changed == nullptr ? graph::Freshness::kCached
                                                                : graph::Freshness::kWhenChanged};
  if (given.display_name != nullptr) {
    spec.display_name = given.display_name;
  }
  if (Status filled = Fill(given, spec); !filled.ok()) {
    return Malformed("class " + spec.class_type + ": " + filled.error().message);
  }
  return spec;
}

}  // namespace framelock::nodes
