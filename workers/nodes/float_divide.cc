// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include "workers/nodes/node_list.h"
#include "workers/nodes/value_node.h"

namespace framelock::nodes {

namespace {

// What is divided by zero is infinite, with a plus, whatever it is.
Result<graph::Value> Compute(const graph::NodeCall& call) {
  const double divisor = call.Float(1);
  return graph::Value(divisor == 0 ? std::numeric_limits<double>::infinity()
                                   : call.Float(0) / divisor);
}

}  // namespace

graph::NodeClass FloatDivide() {
  return ValueClass({.class_type = "FloatDivide",
                     .display_name = "FloatDivide",
                     .category = "arithmetic",
                     .python_module = "nodes",
                     .inputs = {FreeFloat("value0"), FreeFloat("value1", 1.0)},
                     .outputs = {{"FLOAT", "FLOAT"}}},
                    Compute);
}

}  // namespace framelock::nodes
