// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "pipeline/core/result.h"
#include "workers/graph/node.h"
#include "workers/graph/node_input.h"
#include "workers/graph/node_spec.h"

namespace framelock::graph {

struct NodeClass {
  NodeSpec spec;
  std::function<std::unique_ptr<Node>()> make;
  std::vector<NodeInput> inputs = {};  // what the spec's inputs stand for; the registry fills it in
};

/// The node classes of one worker. Filled once at start-up by explicit lists, then only read, by
/// any thread. Pointers to classes hold as long as the registry, wherever it is moved.
class NodeRegistry {
 public:
  /// kAlreadyExists if the class type is taken.
  Status Add(NodeClass node_class);

  /// Null if there is none.
  [[nodiscard]] const NodeClass* Find(std::string_view class_type) const;
  /// In the order of registration.
  [[nodiscard]] const std::vector<std::unique_ptr<NodeClass>>& classes() const { return classes_; }

 private:
  std::vector<std::unique_ptr<NodeClass>> classes_;
  std::unordered_map<std::string_view, const NodeClass*> by_type_;  // keys point into classes_
};

}  // namespace framelock::graph
