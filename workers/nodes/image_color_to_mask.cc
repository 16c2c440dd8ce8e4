// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "workers/nodes/elementwise.h"
#include "workers/nodes/node_list.h"

namespace framelock::nodes {

namespace {

enum Input : std::size_t { kImage, kColor };

// The byte that a value becomes here, unlike at the sink: rounded.
float RoundedByte(float value) { return RoundHalfToEven(Clamp01(value) * 255.0F); }

// 1 where a pixel has exactly the colour, as bytes.
class ImageColorToMaskNode final : public graph::Node {
 public:
  Status Run(graph::NodeCall& call) override {
    const graph::Tensor& image = call.Image(kImage);
    graph::TensorShape shape = image.shape();
    const std::size_t step = shape.channels;
    if (step < 3) {
      return Error{ErrorCode::kInvalidArgument, "index " + std::to_string(step) +
                                                    " is out of bounds for dimension 3 with size " +
                                                    std::to_string(step)};
    }
    shape.layout = graph::TensorLayout::kMask;
    shape.channels = 1;
    Result<graph::Tensor> mask = call.pool().Allocate(shape);
    if (!mask.ok()) {
      return mask.error();
    }
    // No byte equals what lies outside 0xrrggbb.
    const std::int64_t color = call.Int(kColor);
    const auto red = static_cast<float>(color >> 16);
    const auto green = static_cast<float>(color >> 8 & 0xFF);
    const auto blue = static_cast<float>(color & 0xFF);
    const float* in = image.data();
    float* out = mask->mutable_data();
    for (std::size_t i = 0; i < mask->size(); ++i) {
      const float* pixel = in + i * step;
      const bool same = (RoundedByte(pixel[0]) == red) & (RoundedByte(pixel[1]) == green) &
                        (RoundedByte(pixel[2]) == blue);
      out[i] = same ? 1.0F : 0.0F;
    }
    call.SetOutput(0, std::move(*mask));
    return {};
  }
};

graph::InputSpec ColorInput() {
  graph::InputSpec input = graph::IntInput("color", {.value = 0, .min = 0, .max = 0xFFFFFF});
  input.options["display"] = "number";
  return input;
}

}  // namespace

graph::NodeClass ImageColorToMask() {
  return {.spec = {.class_type = "ImageColorToMask",
                   .category = "mask",
                   .python_module = ".",
                   .style = graph::SchemaStyle::kSchema,
                   .inputs = {graph::ImageInput("image"), ColorInput()},
                   .outputs = {{"MASK", "MASK"}}},
          .make = [] { return std::make_unique<ImageColorToMaskNode>(); }};
}

}  // namespace framelock::nodes
