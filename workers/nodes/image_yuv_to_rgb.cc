// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <string>
#include <utility>

#include "workers/nodes/elementwise.h"
#include "workers/nodes/node_list.h"

namespace framelock::nodes {

namespace {

enum Input : std::size_t { kY, kU, kV };

// A picture as grey: the mean over its channels.
class Mean {
 public:
  explicit Mean(const graph::Tensor& image)
      : pixels_(image.data()),
        channels_(image.shape().channels),
        divisor_(static_cast<float>(channels_)) {}

  float operator()(std::size_t i) const {
    const float* pixel = pixels_ + i * channels_;
    if (channels_ == 3) {
      return (pixel[0] + pixel[1] + pixel[2]) / 3.0F;
    }
    float sum = 0;
    for (std::size_t c = 0; c < channels_; ++c) {
      sum += pixel[c];
    }
    return sum / divisor_;
  }

 private:
  const float* pixels_;
  std::size_t channels_;
  float divisor_;
};

// Colours from brightness and two colour differences, clamped.
class ImageYuvToRgbNode final : public graph::Node {
 public:
  Status Run(graph::NodeCall& call) override {
    graph::TensorShape shape = call.Image(kY).shape();
    for (const Input input : {kU, kV}) {
      const graph::TensorShape& other = call.Image(input).shape();
      if (other.batch != shape.batch || other.height != shape.height ||
          other.width != shape.width) {
        return Error{
            ErrorCode::kInvalidArgument,
            "Y, U and V must have the same size: " + shape.ToString() + " and " + other.ToString()};
      }
    }
    shape.channels = 3;
    Result<graph::Tensor> output = call.pool().Allocate(shape);
    if (!output.ok()) {
      return output.error();
    }
    const Mean luma(call.Image(kY));
    const Mean blue(call.Image(kU));
    const Mean red(call.Image(kV));
    float* out = output->mutable_data();
    for (std::size_t i = 0; i < output->size() / 3; ++i) {
      const float y = luma(i);
      const float u = blue(i) - 0.5F;
      const float v = red(i) - 0.5F;
      out[3 * i] = Clamp01(y + 1.403F * v);
      out[3 * i + 1] = Clamp01(y - 0.714F * v - 0.344F * u);
      out[3 * i + 2] = Clamp01(y + 1.773F * u);
    }
    call.SetOutput(0, std::move(*output));
    return {};
  }
};

}  // namespace

graph::NodeClass ImageYUVToRGB() {
  return {
      .spec = {.class_type = "ImageYUVToRGB",
               .category = "image/batch",
               .python_module = ".",
               .style = graph::SchemaStyle::kSchema,
               .inputs = {graph::ImageInput("Y"), graph::ImageInput("U"), graph::ImageInput("V")},
               .outputs = {{"IMAGE", "IMAGE"}}},
      .make = [] { return std::make_unique<ImageYuvToRgbNode>(); }};
}

}  // namespace framelock::nodes
