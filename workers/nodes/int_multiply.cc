// SPDX-License-Identifier: Apache-2.0
#include <cstdint>

#include "workers/nodes/node_list.h"
#include "workers/nodes/value_node.h"

namespace framelock::nodes {

namespace {

// The product of the inputs that are there.
Result<graph::Value> Compute(const graph::NodeCall& call) {
  std::int64_t result = 1;
  for (std::size_t i = 0; i < call.input_count(); ++i) {
    if (call.Has(i) && __builtin_mul_overflow(result, call.Int(i), &result)) {
      return IntTooLarge();
    }
  }
  return graph::Value(result);
}

}  // namespace

graph::NodeClass IntMultiply() {
  return ValueClass(
      {.class_type = "IntMultiply",
       .display_name = "IntMultiply",
       .category = "arithmetic",
       .python_module = "nodes",
       .inputs = {graph::Optional(FreeInt("value0")), graph::Optional(FreeInt("value1", 1)),
                  graph::Optional(FreeInt("value2", 1)), graph::Optional(FreeInt("value3", 1)),
                  graph::Optional(FreeInt("value4", 1))},
       .outputs = {{"INT", "INT"}},
       .shows_no_required = true},
      Compute);
}

}  // namespace framelock::nodes
