// SPDX-License-Identifier: Apache-2.0
#include "workers/nodes/node_list.h"
#include "workers/nodes/value_node.h"

namespace framelock::nodes {

namespace {

Result<graph::Value> Compute(const graph::NodeCall& call) {
  return graph::Value(static_cast<double>(call.Int(0)));
}

}  // namespace

graph::NodeClass IntToFloat() {
  return ValueClass({.class_type = "IntToFloat",
                     .display_name = "IntToFloat",
                     .category = "arithmetic",
                     .python_module = "nodes",
                     .inputs = {FreeInt("value")},
                     .outputs = {{"FLOAT", "FLOAT"}}},
                    Compute);
}

}  // namespace framelock::nodes
