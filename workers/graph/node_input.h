// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "workers/graph/node_spec.h"
#include "workers/graph/prompt.h"

namespace framelock::graph {

/// One input as a prompt names it and a node counts it: an input of the spec, or one of several
/// that it stands for ("images.image0", "resize_type.width"). A value; `spec` points into the spec
/// that it was made from.
struct NodeInput {
  /// The option of a dynamic combo that brings the input along.
  struct Branch {
    std::size_t combo = 0;  // position of the combo
    std::string key;
  };

  std::string name;
  const InputSpec* spec = nullptr;
  Presence presence = Presence::kRequired;
  std::optional<Branch> branch;

  /// The part of the name after the last dot.
  [[nodiscard]] std::string ShortName() const { return name.substr(name.rfind('.') + 1); }
};

/// The inputs of a node class in the order in which its nodes count them.
std::vector<NodeInput> ExpandInputs(const std::vector<InputSpec>& specs);

/// Whether the prompt's node has this input at all: those of other branches than the one it names
/// are unknown to it, and so is a combo whose option is unknown.
bool Applies(const std::vector<NodeInput>& inputs, std::size_t input, const PromptNode& node);

}  // namespace framelock::graph
