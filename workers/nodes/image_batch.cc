// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include "workers/nodes/image_stack.h"
#include "workers/nodes/node_list.h"

namespace framelock::nodes {

graph::NodeClass ImageBatch() {
  return {.spec = {.class_type = "ImageBatch",
                   .display_name = "Batch Images",
                   .category = "image",
                   .python_module = "nodes",
                   .inputs = {graph::ImageInput("image1"), graph::ImageInput("image2")},
                   .outputs = {{"IMAGE", "IMAGE"}},
                   .deprecated = true},
          .make = [] { return std::make_unique<StackNode>(); }};
}

}  // namespace framelock::nodes
