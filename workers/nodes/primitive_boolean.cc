// SPDX-License-Identifier: Apache-2.0
#include "workers/nodes/node_list.h"
#include "workers/nodes/value_node.h"

namespace framelock::nodes {

graph::NodeClass PrimitiveBoolean() {
  return ValueClass({.class_type = "PrimitiveBoolean",
                     .display_name = "Boolean",
                     .category = "utils/primitive",
                     .python_module = ".",
                     .style = graph::SchemaStyle::kSchema,
                     .inputs = {graph::BooleanInput("value", std::nullopt)},
                     .outputs = {{"BOOLEAN", "BOOLEAN"}}},
                    [](const graph::NodeCall& call) -> Result<graph::Value> {
                      return graph::Value(call.Boolean(0));
                    });
}

}  // namespace framelock::nodes
