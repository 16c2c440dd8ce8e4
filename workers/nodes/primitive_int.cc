// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <limits>
#include <utility>

#include "workers/nodes/node_list.h"
#include "workers/nodes/value_node.h"

namespace framelock::nodes {

graph::NodeClass PrimitiveInt() {
  // As the class declares it: one more than the lowest INT.
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  graph::InputSpec value = FreeInt("value");
  value.options = {{"min", -kMost}, {"max", kMost}, {"control_after_generate", true}};
  return ValueClass({.class_type = "PrimitiveInt",
                     .display_name = "Int",
                     .category = "utils/primitive",
                     .python_module = ".",
                     .style = graph::SchemaStyle::kSchema,
                     .inputs = {std::move(value)},
                     .outputs = {{"INT", "INT"}}},
                    [](const graph::NodeCall& call) -> Result<graph::Value> {
                      return graph::Value(call.Int(0));
                    });
}

}  // namespace framelock::nodes
