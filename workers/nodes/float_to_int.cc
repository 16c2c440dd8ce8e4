// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <cstdint>

#include "workers/nodes/node_list.h"
#include "workers/nodes/value_node.h"

namespace framelock::nodes {

namespace {

// Cuts off the fraction.
Result<graph::Value> Compute(const graph::NodeCall& call) {
  const double whole = std::trunc(call.Float(0));
  if (!(whole >= -0x1p63 && whole < 0x1p63)) {
    return std::isfinite(whole)
               ? IntTooLarge()
               : Error{ErrorCode::kInvalidArgument, "no INT is infinite or not a number"};
  }
  return graph::Value(static_cast<std::int64_t>(whole));
}

}  // namespace

graph::NodeClass FloatToInt() {
  return ValueClass({.class_type = "FloatToInt",
                     .display_name = "FloatToInt",
                     .category = "arithmetic",
                     .python_module = "nodes",
                     .inputs = {FreeFloat("value")},
                     .outputs = {{"INT", "INT"}}},
                    Compute);
}

}  // namespace framelock::nodes
