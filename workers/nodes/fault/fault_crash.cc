// SPDX-License-Identifier: Apache-2.0
#include <csignal>

#include "workers/nodes/fault/fault_list.h"
#include "workers/nodes/fault/fault_node.h"

namespace framelock::nodes {

namespace {

// A node that dies by a signal: 11 is a segmentation fault, 9 what the kernel sends without memory.
class FaultCrashNode final : public FaultNode {
  using FaultNode::FaultNode;

  Status Fault(graph::NodeCall& call) override {
    const auto signal = static_cast<int>(call.Int(kFirstFaultInput));
    // The handler of a sanitizer or of the log would only get in the way.
    std::signal(signal, SIG_DFL);
    std::raise(signal);
    return {};
  }
};

}  // namespace

graph::NodeClass FaultCrash() {
  return FaultClass<FaultCrashNode>(
      "FaultCrash", {graph::IntInput("signal", {.value = SIGSEGV, .min = 1, .max = 64})});
}

}  // namespace framelock::nodes
