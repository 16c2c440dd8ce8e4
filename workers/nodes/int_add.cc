// SPDX-License-Identifier: Apache-2.0
#include <cstdint>

#include "workers/nodes/node_list.h"
#include "workers/nodes/value_node.h"

namespace framelock::nodes {

namespace {

// The sum of the inputs that are there.
Result<graph::Value> Compute(const graph::NodeCall& call) {
  std::int64_t result = 0;
  for (std::size_t i = 0; i < call.input_count(); ++i) {
    if (call.Has(i) && __builtin_add_overflow(result, call.Int(i), &result)) {
      return IntTooLarge();
    }
  }
  return graph::Value(result);
}

}  // namespace

graph::NodeClass IntAdd() {
  return ValueClass(
      {.class_type = "IntAdd",
       .display_name = "IntAdd",
       .category = "arithmetic",
       .python_module = "nodes",
       .inputs = {graph::Optional(FreeInt("value0")), graph::Optional(FreeInt("value1", 0)),
                  graph::Optional(FreeInt("value2", 0)), graph::Optional(FreeInt("value3", 0)),
                  graph::Optional(FreeInt("value4", 0))},
       .outputs = {{"INT", "INT"}},
       .shows_no_required = true},
      Compute);
}

}  // namespace framelock::nodes
