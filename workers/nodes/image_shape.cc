// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include "workers/nodes/node_list.h"

namespace framelock::nodes {

namespace {

class ImageShapeNode final : public graph::Node {
 public:
  Status Run(graph::NodeCall& call) override {
    const graph::TensorShape& shape = call.Image(0).shape();
    call.SetOutput(0, std::int64_t{shape.width});
    call.SetOutput(1, std::int64_t{shape.height});
    return {};
  }
};

}  // namespace

graph::NodeClass ImageShape() {
  return {.spec = {.class_type = "ImageShape",
                   .display_name = "Get Image Shape",
                   .category = "image/operations",
                   .python_module = "nodes",
                   .inputs = {graph::ImageInput("image")},
                   .outputs = {{"INT", "width"}, {"INT", "height"}}},
          .make = [] { return std::make_unique<ImageShapeNode>(); }};
}

}  // namespace framelock::nodes
