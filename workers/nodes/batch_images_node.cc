// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include "workers/nodes/image_stack.h"
#include "workers/nodes/node_list.h"

namespace framelock::nodes {

graph::NodeClass BatchImages() {
  return {.spec = {.class_type = "BatchImagesNode",
                   .display_name = "Batch Images",
                   .category = "image",
                   .python_module = ".",
                   .style = graph::SchemaStyle::kSchema,
                   .inputs = {graph::AutogrowInput("images", graph::ImageInput("image"),
                                                   {.prefix = "image", .min = 2, .max = 50})},
                   .outputs = {{"IMAGE", "IMAGE"}}},
          .make = [] { return std::make_unique<StackNode>(); }};
}

}  // namespace framelock::nodes
