// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include "workers/nodes/node_list.h"
#include "workers/nodes/switch_node.h"

namespace framelock::nodes {

graph::NodeClass LazySwitch() {
  const graph::InputSpec on_false{.name = "on_false", .type = "*"};
  const graph::InputSpec on_true{.name = "on_true", .type = "*"};
  return {.spec = {.class_type = "LazySwitch",
                   .display_name = "LazySwitch",
                   .category = "logic",
                   .python_module = "nodes",
                   .inputs = {graph::BooleanInput("switch", std::nullopt),
                              graph::Optional(graph::Lazy(on_false)),
                              graph::Optional(graph::Lazy(on_true))},
                   .outputs = {{"*", "*"}}},
          .make = [] { return std::make_unique<SwitchNode>(); }};
}

}  // namespace framelock::nodes
