// SPDX-License-Identifier: Apache-2.0

#include "workers/nodes/fault/fault_list.h"
#include "workers/nodes/fault/fault_node.h"

namespace framelock::nodes {

namespace {

// Makes the worker answer the frame under a sequence number that was never submitted.
class FaultWrongSequenceNode final : public FaultNode {
  using FaultNode::FaultNode;

  Status Fault(graph::NodeCall& call) override {
    call.fault_hooks().wrong_sequence = true;
    return {};
  }
};

}  // namespace

graph::NodeClass FaultWrongSequence() {
  return FaultClass<FaultWrongSequenceNode>("FaultWrongSequence", {});
}

}  // namespace framelock::nodes
