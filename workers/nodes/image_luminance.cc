// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <string>
#include <utility>

#include "workers/nodes/node_list.h"

namespace framelock::nodes {

namespace {

// Rec. 709 luminance in three equal channels.
class ImageLuminanceNode final : public graph::Node {
 public:
  Status Run(graph::NodeCall& call) override {
    const graph::Tensor& image = call.Image(0);
    graph::TensorShape shape = image.shape();
    const std::size_t step = shape.channels;
    if (step < 3) {
      return Error{ErrorCode::kInvalidArgument,
                   "takes red, green and blue, not " + std::to_string(step) + " channels"};
    }
    shape.channels = 3;
    Result<graph::Tensor> output = call.pool().Allocate(shape);
    if (!output.ok()) {
      return output.error();
    }
    const float* in = image.data();
    float* out = output->mutable_data();
    const std::size_t pixels = output->size() / 3;
    for (std::size_t i = 0; i < pixels; ++i, in += step, out += 3) {
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
