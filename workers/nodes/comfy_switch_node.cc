// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include "workers/nodes/node_list.h"
#include "workers/nodes/switch_node.h"

namespace framelock::nodes {

graph::NodeClass ComfySwitchNode() {
  return {.spec = {.class_type = "ComfySwitchNode",
                   .display_name = "Switch",
                   .category = "logic",
                   .python_module = ".",
                   .style = graph::SchemaStyle::kSchema,
                   .inputs = {graph::BooleanInput("switch", std::nullopt),
                              graph::Lazy(graph::MatchInput("on_false", "switch", "*")),
                              graph::Lazy(graph::MatchInput("on_true", "switch", "*"))},
                   .outputs = {{graph::kMatchType, "output", "switch"}},
                   .experimental = true},
          .make = [] { return std::make_unique<SwitchNode>(); }};
}

}  // namespace framelock::nodes
