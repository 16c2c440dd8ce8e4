// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>
#include <utility>

#include "workers/nodes/node_list.h"
#include "workers/nodes/resample.h"

namespace framelock::nodes {

namespace {

enum Input : std::size_t { kImage, kAlpha };

// The first three channels and 1 - mask, of as many pictures as the shorter batch has.
class JoinImageWithAlphaNode final : public graph::Node {
 public:
  Status Run(graph::NodeCall& call) override {
    const graph::Tensor image = call.Image(kImage);
    graph::TensorShape shape = image.shape();
    Result<graph::Tensor> mask =
        resampler_.Resample(call.Image(kAlpha), {.width = shape.width, .height = shape.height},
                            call.pool(), call.threads());
    if (!mask.ok()) {
      return mask.error();
    }
    if (shape.batch == 0 || mask->shape().batch == 0) {
      return Error{ErrorCode::kInvalidArgument, "an empty batch of images or of masks"};
    }
    shape.batch = std::min(shape.batch, mask->shape().batch);
    shape.channels = std::min<std::uint32_t>(shape.channels, 3) + 1;
    Result<graph::Tensor> output = call.pool().Allocate(shape);
    if (!output.ok()) {
      return output.error();
    }
    const std::size_t pixels = std::size_t{shape.height} * shape.width;
    for (std::size_t b = 0; b < shape.batch; ++b) {
      Join(image.data() + b * image.shape().plane(), image.shape().channels,
           mask->data() + b * pixels, pixels, output->mutable_data() + b * shape.plane());
    }
    call.SetOutput(0, std::move(*output));
    return {};
  }

 private:
  static void Join(const float* image, std::size_t channels, const float* mask, std::size_t pixels,
                   float* out) {
    if (channels == 3) {  // known steps vectorise
      for (std::size_t i = 0; i < pixels; ++i) {
        out[4 * i] = image[3 * i];
        out[4 * i + 1] = image[3 * i + 1];
        out[4 * i + 2] = image[3 * i + 2];
        out[4 * i + 3] = 1.0F - mask[i];
      }
      return;
    }
    const std::size_t colors = std::min<std::size_t>(channels, 3);
    for (std::size_t i = 0; i < pixels; ++i) {
      std::copy_n(image + i * channels, colors, out + i * (colors + 1));
      out[i * (colors + 1) + colors] = 1.0F - mask[i];
    }
  }

  Resampler resampler_;
};

}  // namespace

graph::NodeClass JoinImageWithAlpha() {
  return {.spec = {.class_type = "JoinImageWithAlpha",
                   .display_name = "Join Image with Alpha",
                   .category = "mask/compositing",
                   .style = graph::SchemaStyle::kSchema,
                   .inputs = {graph::ImageInput("image"), graph::MaskInput("alpha")},
                   .outputs = {{"IMAGE", "IMAGE"}}},
          .make = [] { return std::make_unique<JoinImageWithAlphaNode>(); }};
}

}  // namespace framelock::nodes
