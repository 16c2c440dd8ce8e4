// SPDX-License-Identifier: Apache-2.0
#include "workers/graph/node_registry.h"

#include <utility>

namespace framelock::graph {

Status NodeRegistry::Add(NodeClass node_class) {
  if (Find(node_class.spec.class_type) != nullptr) {
    return Error{ErrorCode::kAlreadyExists,
                 "node class " + node_class.spec.class_type + " is registered twice"};
  }
  classes_.push_back(std::make_unique<NodeClass>(std::move(node_class)));
  NodeClass& added = *classes_.back();
  added.inputs = ExpandInputs(added.spec.inputs);
  by_type_.emplace(added.spec.class_type, &added);
  return {};
}

const NodeClass* NodeRegistry::Find(std::string_view class_type) const {
  const auto found = by_type_.find(class_type);
  return found == by_type_.end() ? nullptr : found->second;
}

}  // namespace framelock::graph
