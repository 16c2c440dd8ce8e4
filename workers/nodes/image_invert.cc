// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include "workers/nodes/elementwise.h"
#include "workers/nodes/node_list.h"

namespace framelock::nodes {

namespace {

// 1 - x, alpha included, without clamping.
class ImageInvertNode final : public graph::Node {
 public:
  Status Run(graph::NodeCall& call) override {
    return MapFirstInput(call, [](float value) { return 1.0F - value; });
  }
};

}  // namespace

graph::NodeClass ImageInvert() {
  return {.spec = {.class_type = "ImageInvert",
                   .display_name = "Invert Image",
                   .category = "image",
                   .python_module = "nodes",
                   .inputs = {graph::ImageInput("image")},
                   .outputs = {{"IMAGE", "IMAGE"}}},
          .make = [] { return std::make_unique<ImageInvertNode>(); }};
}

}  // namespace framelock::nodes
