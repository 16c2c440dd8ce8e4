// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "workers/nodes/fault/fault_list.h"
#include "workers/nodes/fault/fault_node.h"

namespace framelock::nodes {

namespace {

// A node that leaks: takes so much memory on every frame, uses it and keeps it.
class FaultAllocateNode final : public FaultNode {
  using FaultNode::FaultNode;

  Status Fault(graph::NodeCall& call) override {
    const auto bytes = static_cast<std::size_t>(call.Int(kFirstFaultInput)) << 20;
    std::unique_ptr<std::byte[]> memory(new (std::nothrow) std::byte[bytes]);
    if (memory == nullptr) {
      return Error{ErrorCode::kResourceLimit, "no memory for " + std::to_string(bytes) + " bytes"};
    }
    std::memset(memory.get(), 1, bytes);
    held_.push_back(std::move(memory));
    return {};
  }

  std::vector<std::unique_ptr<std::byte[]>> held_;
};

}  // namespace

graph::NodeClass FaultAllocate() {
  return FaultClass<FaultAllocateNode>(
      "FaultAllocate", {graph::IntInput("megabytes", {.value = 64, .min = 0, .max = 1 << 20})});
}

}  // namespace framelock::nodes
