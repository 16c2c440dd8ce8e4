// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <utility>

#include "workers/nodes/channels.h"
#include "workers/nodes/node_list.h"

namespace framelock::nodes {

namespace {

// Rec. 709 luminance in three equal channels.
class ImageLuminanceNode final : public graph::Node {
 public:
  Status Run(graph::NodeCall& call) override {
    const graph::Tensor& image = call.Image(0);
    const graph::TensorShape& shape = image.shape();
    if (Status three = TakesThreeChannels(shape); !three.ok()) {
      return three;
    }
    Result<graph::Tensor> output = call.pool().Allocate(shape);
    if (!output.ok()) {
      return output.error();
    }
    const float* in = image.data();
    float* out = output->mutable_data();
    const std::size_t pixels = output->size() / 3;
    for (std::size_t i = 0; i < pixels; ++i, in += 3, out += 3) {
      out[0] = out[1] = out[2] = 0.2126F * in[0] + 0.7152F * in[1] + 0.0722F * in[2];
    }
    call.SetOutput(0, std::move(*output));
    return {};
  }
};

}  // namespace

graph::NodeClass ImageLuminance() {
  return {.spec = {.class_type = "ImageLuminance",
                   .display_name = "ImageLuminance",
                   .category = "image/color",
                   .python_module = "nodes",
                   .inputs = {graph::ImageInput("image")},
                   .outputs = {{"IMAGE", "IMAGE"}}},
          .make = [] { return std::make_unique<ImageLuminanceNode>(); }};
}

}  // namespace framelock::nodes
