// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include "workers/nodes/fault/fault_list.h"
#include "workers/nodes/fault/fault_node.h"

namespace framelock::nodes {

namespace {

// A node that never comes back.
class FaultHangNode final : public FaultNode {
  using FaultNode::FaultNode;

  Status Fault(graph::NodeCall& call) override {
    (void)call;
    while (true) {
      ::pause();
    }
  }
};

}  // namespace

graph::NodeClass FaultHang() { return FaultClass<FaultHangNode>("FaultHang", {}); }

}  // namespace framelock::nodes
