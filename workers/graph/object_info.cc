// SPDX-License-Identifier: Apache-2.0
#include "workers/graph/object_info.h"

#include <string>
#include <utility>

namespace framelock::graph {

namespace {

// Most classic nodes show empty options as nothing at all.
Json ShownConfig(const InputSpec& input, SchemaStyle style) {
  Json config = InputConfig(input, style);
  if (style == SchemaStyle::kClassic && input.options.empty() && !input.shows_no_options) {
    config.erase(1);
  }
  return config;
}

void AddInputs(const NodeSpec& spec, Presence presence, const char* group, Json& info) {
  for (const InputSpec& input : spec.inputs) {
    if (input.presence == presence) {
      info["input"][group][input.name] = ShownConfig(input, spec.style);
      info["input_order"][group].push_back(input.name);
    }
  }
}

// One template for each output that has the type of some input; null if there is none.
Json MatchTypes(const NodeSpec& spec) {
  Json templates;
  for (const OutputSpec& output : spec.outputs) {
    if (!output.template_id.empty()) {
      templates.push_back(output.template_id);
    }
  }
  return templates;
}

void AddHidden(const NodeSpec& spec, Json& info) {
  for (const HiddenInput& input : spec.hidden) {
    info["input"]["hidden"][input.name] =
        spec.style == SchemaStyle::kSchema ? Json::array({input.type}) : Json(input.type);
    info["input_order"]["hidden"].push_back(input.name);
  }
}

void AddFlags(const NodeSpec& spec, Json& info) {
  const bool schema = spec.style == SchemaStyle::kSchema;
  if (schema || spec.deprecated) {
    info["deprecated"] = spec.deprecated.value_or(false);
  }
  if (schema || spec.experimental) {
    info["experimental"] = spec.experimental.value_or(false);
  }
  if (schema) {
    info["dev_only"] = false;
    info["api_node"] = false;
    info["price_badge"] = nullptr;
    info["output_matchtypes"] = MatchTypes(spec);
  }
}

}  // namespace

Json ObjectInfo(const NodeSpec& spec) {
  Json info{{"input", Json::object()},         {"input_order", Json::object()},
            {"is_input_list", false},          {"output", Json::array()},
            {"output_is_list", Json::array()}, {"output_name", Json::array()}};
  if (spec.shows_no_required) {
    info["input"]["required"] = Json::object();
    info["input_order"]["required"] = Json::array();
  }
  AddInputs(spec, Presence::kRequired, "required", info);
  AddInputs(spec, Presence::kOptional, "optional", info);
  AddHidden(spec, info);
  for (const OutputSpec& output : spec.outputs) {
    info["output"].push_back(output.type);
    info["output_is_list"].push_back(false);
    info["output_name"].push_back(output.name);
  }
  info["name"] = spec.class_type;
  info["display_name"] = spec.display_name ? Json(*spec.display_name) : Json();
  info["python_module"] = spec.python_module ? Json(*spec.python_module) : Json();
  info["category"] = spec.category;
  info["output_node"] = spec.is_output;
  AddFlags(spec, info);
  return info;
}

}  // namespace framelock::graph
