// SPDX-License-Identifier: Apache-2.0
#include <cstdint>

#include "workers/nodes/node_list.h"
#include "workers/nodes/value_node.h"

namespace framelock::nodes {

namespace {

Result<graph::Value> Compute(const graph::NodeCall& call) {
  std::int64_t result = 0;
  if (__builtin_sub_overflow(call.Int(0), call.Int(1), &result)) {
    return IntTooLarge();
  }
  return graph::Value(result);
}

}  // namespace

graph::NodeClass IntSubtract() {
  return ValueClass({.class_type = "IntSubtract",
                     .display_name = "IntSubtract",
                     .category = "arithmetic",
                     .python_module = "nodes",
                     .inputs = {FreeInt("value0"), FreeInt("value1", 0)},
                     .outputs = {{"INT", "INT"}}},
                    Compute);
}

}  // namespace framelock::nodes
