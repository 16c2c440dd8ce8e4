// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <thread>

#include "workers/nodes/fault/fault_list.h"
#include "workers/nodes/fault/fault_node.h"

namespace framelock::nodes {

namespace {

// A node that is slow, on every frame.
class FaultSleepNode final : public FaultNode {
  using FaultNode::FaultNode;

  Status Fault(graph::NodeCall& call) override {
    std::this_thread::sleep_for(std::chrono::duration<double>(call.Float(kFirstFaultInput)));
    return {};
  }
};

}  // namespace

graph::NodeClass FaultSleep() {
  return FaultClass<FaultSleepNode>(
      "FaultSleep", {graph::FloatInput("seconds", {.value = 1.0, .min = 0.0, .max = 3600.0})});
}

}  // namespace framelock::nodes
