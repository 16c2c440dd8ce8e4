// SPDX-License-Identifier: Apache-2.0
#include <cstdint>

#include "workers/nodes/node_list.h"
#include "workers/nodes/value_node.h"

namespace framelock::nodes {

namespace {

// The sum of the inputs that are there.
Result<graph::Value> Compute(const graph::NodeCall& call) {
  __int128 sum = 0;
  for (std::size_t i = 0; i < call.input_count(); ++i) {
    sum += call.Has(i) ? call.Int(i) : 0;
  }
  const auto result = static_cast<std::int64_t>(sum);
  return sum == result ? Result<graph::Value>(graph::Value(result)) : IntTooLarge();
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
