// SPDX-License-Identifier: Apache-2.0
#include "workers/graph/node_input.h"

#include <algorithm>
#include <utility>

namespace framelock::graph {

namespace {

class Expansion {
 public:
  void Add(const std::vector<InputSpec>& specs, const std::string& prefix,
           const std::optional<NodeInput::Branch>& branch) {
    for (const InputSpec& spec : specs) {
      AddOne(spec, prefix + spec.name, branch);
    }
  }
  std::vector<NodeInput> Take() { return std::move(inputs_); }

 private:
  void AddOne(const InputSpec& spec, const std::string& name,
              const std::optional<NodeInput::Branch>& branch) {
    if (spec.grows) {
      AddGrown(spec, name, branch);
      return;
    }
    const std::size_t position = inputs_.size();
    inputs_.push_back({.name = name, .spec = &spec, .presence = spec.presence, .branch = branch});
    for (const ComboBranch& option : spec.branches) {
      Add(option.inputs, name + ".", NodeInput::Branch{position, option.key});
    }
  }

  void AddGrown(const InputSpec& spec, const std::string& name,
                const std::optional<NodeInput::Branch>& branch) {
    const InputSpec& member = spec.members.front();
    for (std::size_t i = 0; i < spec.grows->max; ++i) {
      const bool required = i < spec.grows->min && member.presence == Presence::kRequired;
      inputs_.push_back({.name = name + "." + spec.grows->prefix + std::to_string(i),
                         .spec = &member,
                         .presence = required ? Presence::kRequired : Presence::kOptional,
                         .branch = branch});
    }
  }

  std::vector<NodeInput> inputs_;
};

// The text that the prompt gives; null if it gives none.
const std::string* TextOf(const PromptNode& node, const std::string& name) {
  const PromptNode::Input* given = node.FindInput(name);
  return given == nullptr ? nullptr : given->value.get_ptr<const std::string*>();
}

}  // namespace

std::vector<NodeInput> ExpandInputs(const std::vector<InputSpec>& specs) {
  Expansion expansion;
  expansion.Add(specs, "", std::nullopt);
  return expansion.Take();
}

bool Applies(const std::vector<NodeInput>& inputs, std::size_t input, const PromptNode& node) {
  const NodeInput& self = inputs[input];
  if (self.branch) {
    const std::string* key = TextOf(node, inputs[self.branch->combo].name);
    if (key == nullptr || *key != self.branch->key || !Applies(inputs, self.branch->combo, node)) {
      return false;
    }
  }
  if (self.spec->branches.empty()) {
    return true;
  }
  const std::string* key = TextOf(node, self.name);
  return key != nullptr && std::ranges::find(self.spec->branches, *key, &ComboBranch::key) !=
                               self.spec->branches.end();
}

}  // namespace framelock::graph
