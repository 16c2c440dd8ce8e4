// SPDX-License-Identifier: Apache-2.0
#include "workers/nodes/node_list.h"
#include "workers/nodes/value_node.h"

namespace framelock::nodes {

namespace {

// The product of the inputs that are there.
Result<graph::Value> Compute(const graph::NodeCall& call) {
  double result = 1;
  for (std::size_t i = 0; i < call.input_count(); ++i) {
    result *= call.Has(i) ? call.Float(i) : 1;
  }
  return graph::Value(result);
}

}  // namespace

graph::NodeClass FloatMultiply() {
  return ValueClass(
      {.class_type = "FloatMultiply",
       .display_name = "FloatMultiply",
       .category = "arithmetic",
       .python_module = "nodes",
       .inputs = {graph::Optional(FreeFloat("value0")), graph::Optional(FreeFloat("value1", 1.0)),
                  graph::Optional(FreeFloat("value2", 1.0)),
                  graph::Optional(FreeFloat("value3", 1.0)),
                  graph::Optional(FreeFloat("value4", 1.0))},
       .outputs = {{"FLOAT", "FLOAT"}},
       .shows_no_required = true},
      Compute);
}

}  // namespace framelock::nodes
