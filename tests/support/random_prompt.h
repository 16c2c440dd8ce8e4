// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "workers/graph/node_registry.h"
#include "workers/graph/validate_input.h"

namespace framelock::test {

/// Prompts made of a registry's classes, valid by its specs, with small pictures: each node links
/// to earlier ones. Damage() breaks one. Decisions come from `below(n)`, a number from 0 to n - 1,
/// so that a seed or a fuzzer's bytes choose.
class RandomPrompt {
 public:
  using Below = std::function<std::size_t(std::size_t)>;

  RandomPrompt(const graph::NodeRegistry& registry, Below below)
      : registry_(registry), below_(std::move(below)) {}

  graph::Json Make(std::size_t nodes) {
    prompt_ = graph::Json::object();
    outputs_.clear();
    AddNode(*registry_.Find("LoadTensor"));
    // Some attempts come to nothing.
    for (std::size_t attempt = 0; prompt_.size() < nodes && attempt < 20 * nodes; ++attempt) {
      const auto& classes = registry_.classes();
      const graph::NodeClass& node_class = *classes[below_(classes.size())];
      if (!node_class.spec.is_output && node_class.spec.source == graph::Medium::kNone &&
          !node_class.spec.unavailable) {
        AddNode(node_class);
      }
    }
    AddSinks();
    return prompt_;
  }

  /// One change to a prompt, mostly for the worse.
  void Damage(graph::Json& prompt) {
    graph::Json& node = Any(prompt);
    graph::Json& inputs = node["inputs"];
    switch (below_(8)) {
      case 0:
        node["class_type"] = Junk();
        return;
      case 1:
        node.erase(below_(2) == 0 ? "inputs" : "class_type");
        return;
      case 2:
        Any(prompt)["class_type"] = Any(prompt)["class_type"];
        return;
      default:
        break;
    }
    if (!inputs.is_object() || inputs.empty()) {
      return;
    }
    graph::Json& value = Any(inputs);
    switch (below_(4)) {
      case 0:
        value = {std::to_string(below_(prompt.size() + 1)), below_(3)};
        return;
      case 1:
        inputs.erase(std::next(inputs.begin(), static_cast<std::ptrdiff_t>(below_(inputs.size()))));
        return;
      default:
        value = Junk();
    }
  }

 private:
  struct Output {
    graph::Json link;
    std::string type;
  };

  graph::Json& Any(graph::Json& object) {
    return std::next(object.begin(), static_cast<std::ptrdiff_t>(below_(object.size()))).value();
  }

  graph::Json Junk() {
    static const graph::Json kJunk = graph::Json::parse(
        R"([null, true, false, 0, -1, 1, 7, 1e300, 0.5, -1e-300, "", "a", "12", " 7 ", "1_0", "nan",
            "inf", [], ["1"], ["1", 0], ["1", -1], ["1", 99], ["2", "0"], ["nowhere", 0], [1, 0],
            {}, {"__value__": 3}, 9223372036854775807, -9223372036854775808,
            18446744073709551615, "LoadTensor", "SaveTensor", "area", "lanczos", 16384])");
    return kJunk[below_(kJunk.size())];
  }

  // Leaves the node out if something it needs is not there yet.
  void AddNode(const graph::NodeClass& node_class) {
    graph::Json inputs = graph::Json::object();
    for (const graph::InputSpec& input : node_class.spec.inputs) {
      if (!AddInput(input, input.name, node_class.spec.style, inputs)) {
        return;
      }
    }
    const std::string id = std::to_string(prompt_.size());
    for (std::size_t i = 0; i < node_class.spec.outputs.size(); ++i) {
      outputs_.push_back({{id, i}, node_class.spec.outputs[i].type});
    }
    prompt_[id] = {{"class_type", node_class.spec.class_type}, {"inputs", std::move(inputs)}};
  }

  bool AddInput(const graph::InputSpec& input, const std::string& name, graph::SchemaStyle style,
                graph::Json& inputs) {
    if (input.presence == graph::Presence::kOptional && below_(2) == 0) {
      return true;
    }
    if (input.grows) {
      return AddGrown(input, name, style, inputs);
    }
    if (!input.branches.empty()) {
      const graph::ComboBranch& branch = input.branches[below_(input.branches.size())];
      inputs[name] = branch.key;
      return std::ranges::all_of(branch.inputs, [&](const graph::InputSpec& member) {
        return AddInput(member, name + "." + member.name, style, inputs);
      });
    }
    std::optional<graph::Json> value = Literal(input);
    if (!value || below_(8) == 0) {
      std::optional<graph::Json> link = Link(input, style);
      value = link ? std::move(link) : std::move(value);
    }
    if (value) {
      inputs[name] = *value;
    }
    return value.has_value() || input.presence == graph::Presence::kOptional;
  }

  bool AddGrown(const graph::InputSpec& input, const std::string& name, graph::SchemaStyle style,
                graph::Json& inputs) {
    for (std::size_t i = 0; i < input.grows->min + below_(2); ++i) {
      if (!AddInput(input.members.front(), name + "." + input.grows->prefix + std::to_string(i),
                    style, inputs)) {
        return false;
      }
    }
    return true;
  }

  std::optional<graph::Json> Link(const graph::InputSpec& input, graph::SchemaStyle style) {
    std::vector<const Output*> fitting;
    for (const Output& output : outputs_) {
      if (graph::TypesMatch(output.type, input, style)) {
        fitting.push_back(&output);
      }
    }
    if (fitting.empty()) {
      return std::nullopt;
    }
    return fitting[below_(fitting.size())]->link;
  }

  std::optional<graph::Json> Literal(const graph::InputSpec& input) {
    if (!input.choices.empty()) {
      return input.choices[below_(input.choices.size())];
    }
    if (input.type == "INT") {
      const double min = std::clamp(input.options.value("min", -4.0), -64.0, 64.0);
      const double max = std::clamp(input.options.value("max", 1e9), min, min + 40);
      return static_cast<std::int64_t>(min) +
             static_cast<std::int64_t>(below_(static_cast<std::size_t>(max - min) + 1));
    }
    if (input.type == "FLOAT") {
      const double min = std::clamp(input.options.value("min", -2.0), -2.0, 2.0);
      const double most = input.name == "megapixels" ? 0.02 : 2.0;
      const double max = std::clamp(input.options.value("max", most), min, most);
      return min + (max - min) * static_cast<double>(below_(17)) / 16;
    }
    if (input.type == "BOOLEAN") {
      return below_(2) == 1;
    }
    if (input.type == "STRING" || input.type == "COLOR") {
      return below_(4) == 0 ? "text" : "#40a0f0";
    }
    return std::nullopt;
  }

  // Two outputs: pictures that are there, the latest likeliest.
  void AddSinks() {
    std::vector<graph::Json> images;
    for (const Output& output : outputs_) {
      if (output.type == "IMAGE") {
        images.push_back(output.link);
      }
    }
    for (int i = 0; i < 2; ++i) {
      const std::size_t back = std::min(below_(images.size()), below_(images.size()));
      prompt_["sink" + std::to_string(i)] = {
          {"class_type", "SaveTensor"}, {"inputs", {{"images", images[images.size() - 1 - back]}}}};
    }
  }

  const graph::NodeRegistry& registry_;
  Below below_;
  graph::Json prompt_;
  std::vector<Output> outputs_;
};

}  // namespace framelock::test
