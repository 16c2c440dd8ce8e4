// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <utility>

#include "workers/nodes/channels.h"
#include "workers/nodes/node_list.h"

namespace framelock::nodes {

namespace {

// Three equal channels.
class MaskToImageNode final : public graph::Node {
 public:
  Status Run(graph::NodeCall& call) override {
    const graph::Tensor& mask = call.Image(0);
    graph::TensorShape shape = mask.shape();
    if (mask.size() == 0) {
      return EmptyMask(shape);
    }
    shape.layout = graph::TensorLayout::kImage;
    shape.channels = 3;
    Result<graph::Tensor> image = call.pool().Allocate(shape);
    if (!image.ok()) {
      return image.error();
    }
    SpreadOverChannels(mask.values(), 3, image->mutable_data());
    call.SetOutput(0, std::move(*image));
    return {};
  }
};

}  // namespace

graph::NodeClass MaskToImage() {
  return {.spec = {.class_type = "MaskToImage",
                   .display_name = "Convert Mask to Image",
                   .category = "mask",
                   .python_module = ".",
                   .style = graph::SchemaStyle::kSchema,
                   .inputs = {graph::MaskInput("mask")},
                   .outputs = {{"IMAGE", "IMAGE"}}},
          .make = [] { return std::make_unique<MaskToImageNode>(); }};
}

}  // namespace framelock::nodes
