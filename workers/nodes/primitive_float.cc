// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <limits>
#include <utility>

#include "workers/nodes/node_list.h"
#include "workers/nodes/value_node.h"

namespace framelock::nodes {

graph::NodeClass PrimitiveFloat() {
  // As the class declares it: the bounds of an INT.
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  graph::InputSpec value = FreeFloat("value");
  value.options = {{"min", -kMost}, {"max", kMost}, {"step", 0.1}};
  return ValueClass({.class_type = "PrimitiveFloat",
                     .display_name = "Float",
                     .category = "utils/primitive",
                     .python_module = ".",
                     .style = graph::SchemaStyle::kSchema,
                     .inputs = {std::move(value)},
                     .outputs = {{"FLOAT", "FLOAT"}}},
                    [](const graph::NodeCall& call) -> Result<graph::Value> {
                      return graph::Value(call.Float(0));
                    });
}

}  // namespace framelock::nodes
