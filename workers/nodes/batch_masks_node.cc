// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include "workers/nodes/image_stack.h"
#include "workers/nodes/node_list.h"

namespace framelock::nodes {

graph::NodeClass BatchMasks() {
  return {.spec = {.class_type = "BatchMasksNode",
                   .display_name = "Batch Masks",
                   .category = "mask",
                   .python_module = ".",
                   .style = graph::SchemaStyle::kSchema,
                   .inputs = {graph::AutogrowInput("masks", graph::MaskInput("mask"),
                                                   {.prefix = "mask", .min = 2, .max = 50})},
                   .outputs = {{"MASK", "MASK"}}},
          .make = [] { return std::make_unique<StackNode>(); }};
}

}  // namespace framelock::nodes
