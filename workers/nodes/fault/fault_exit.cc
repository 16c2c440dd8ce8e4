// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include "workers/nodes/fault/fault_list.h"
#include "workers/nodes/fault/fault_node.h"

namespace framelock::nodes {

namespace {

// A node whose library calls exit.
class FaultExitNode final : public FaultNode {
  using FaultNode::FaultNode;

  Status Fault(graph::NodeCall& call) override {
    ::_exit(static_cast<int>(call.Int(kFirstFaultInput)));
  }
};

}  // namespace

graph::NodeClass FaultExit() {
  return FaultClass<FaultExitNode>("FaultExit",
                                   {graph::IntInput("code", {.value = 1, .min = 0, .max = 255})});
}

}  // namespace framelock::nodes
