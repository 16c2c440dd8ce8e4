// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <limits>

#include "workers/nodes/node_list.h"
#include "workers/nodes/value_node.h"

namespace framelock::nodes {

namespace {

// Rounds down, as Python does; what is divided by zero is 0.
Result<graph::Value> Compute(const graph::NodeCall& call) {
  const std::int64_t value = call.Int(0);
  const std::int64_t divisor = call.Int(1);
  if (divisor == 0) {
    return graph::Value(std::int64_t{0});
  }
  if (divisor == -1 && value == std::numeric_limits<std::int64_t>::min()) {
    return IntTooLarge();
  }
  const bool between = value % divisor != 0 && (value < 0) != (divisor < 0);
  return graph::Value(value / divisor - (between ? 1 : 0));
}

}  // namespace

graph::NodeClass IntDivide() {
  return ValueClass({.class_type = "IntDivide",
                     .display_name = "IntDivide",
                     .category = "arithmetic",
                     .python_module = "nodes",
                     .inputs = {FreeInt("value0"), FreeInt("value1", 1)},
                     .outputs = {{"INT", "INT"}}},
                    Compute);
}

}  // namespace framelock::nodes
