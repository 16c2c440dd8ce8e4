// SPDX-License-Identifier: Apache-2.0

#include "workers/nodes/fault/fault_list.h"
#include "workers/nodes/fault/fault_node.h"

namespace framelock::nodes {

namespace {

// A node that fails and says so.
class FaultErrorNode final : public FaultNode {
  using FaultNode::FaultNode;

  Status Fault(graph::NodeCall& call) override {
    return Error{ErrorCode::kInternal, call.Text(kFirstFaultInput)};
  }
};

}  // namespace

graph::NodeClass FaultError() {
  return FaultClass<FaultErrorNode>("FaultError", {graph::StringInput("text")});
}

}  // namespace framelock::nodes
