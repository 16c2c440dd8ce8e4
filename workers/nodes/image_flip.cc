// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>
#include <utility>

#include "workers/nodes/node_list.h"

namespace framelock::nodes {

namespace {

enum Input : std::size_t { kImage, kMethod };

constexpr const char* kTopToBottom = "x-axis: vertically";
constexpr const char* kLeftToRight = "y-axis: horizontally";

void MirrorRow(const float* in, float* out, const graph::TensorShape& shape) {
  const std::size_t channels = shape.channels;
  if (channels == 3) {  // a known number is twice as fast
    const float* from = in + shape.row() - 3;
    for (std::size_t x = 0; x < shape.width; ++x, from -= 3, out += 3) {
      out[0] = from[0];
      out[1] = from[1];
      out[2] = from[2];
    }
    return;
  }
  for (std::size_t x = 0; x < shape.width; ++x) {
    const float* from = in + (shape.width - 1 - x) * channels;
    for (std::size_t c = 0; c < channels; ++c) {
      *out++ = from[c];
    }
  }
}

class ImageFlipNode final : public graph::Node {
 public:
  Status Run(graph::NodeCall& call) override {
    const graph::Tensor& image = call.Image(kImage);
    const graph::TensorShape& shape = image.shape();
    Result<graph::Tensor> output = call.pool().Allocate(shape);
    if (!output.ok()) {
      return output.error();
    }
    // By their first letters, since links may bring other texts.
    const bool upside_down = call.Text(kMethod).starts_with('x');
    if (!upside_down && !call.Text(kMethod).starts_with('y')) {
      call.SetOutput(0, call.TakeTensor(kImage));
      return {};
    }
    const std::size_t row = shape.row();
    const std::size_t bottom = std::size_t{shape.height} - 1;
    for (std::uint32_t b = 0; b < shape.batch; ++b) {
      const float* in = image.data() + b * shape.plane();
      float* out = output->mutable_data() + b * shape.plane();
      call.threads().Share(shape.height, [&](const graph::RowThreads::Part& part) {
        for (std::size_t y = part.begin; y < part.end; ++y) {
          if (upside_down) {
            std::copy_n(in + (bottom - y) * row, row, out + y * row);
          } else {
            MirrorRow(in + y * row, out + y * row, shape);
          }
        }
      });
    }
    call.SetOutput(0, std::move(*output));
    return {};
  }
};

}  // namespace

graph::NodeClass ImageFlip() {
  return {.spec = {.class_type = "ImageFlip",
                   .category = "image/transform",
                   .python_module = ".",
                   .style = graph::SchemaStyle::kSchema,
                   .inputs = {graph::ImageInput("image"),
                              graph::ChoiceInput("flip_method", {kTopToBottom, kLeftToRight})},
                   .outputs = {{"IMAGE", "IMAGE"}}},
          .make = [] { return std::make_unique<ImageFlipNode>(); }};
}

}  // namespace framelock::nodes
