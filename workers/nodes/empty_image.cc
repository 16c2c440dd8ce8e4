// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <optional>
#include <utility>

#include "workers/nodes/made_size.h"
#include "workers/nodes/node_list.h"

namespace framelock::nodes {

namespace {

enum Input : std::size_t { kWidth, kHeight, kBatch, kColor };

// One colour, 0xRRGGBB, everywhere.
class EmptyImageNode final : public graph::Node {
 public:
  Status Run(graph::NodeCall& call) override {
    const Result<graph::TensorShape> shape = MadeShape(
        {call.Int(kBatch), call.Int(kHeight), call.Int(kWidth), 3}, graph::TensorLayout::kImage);
    if (!shape.ok()) {
      return shape.error();
    }
    Result<graph::Tensor> image = call.pool().Allocate(*shape);
    if (!image.ok()) {
      return image.error();
    }
    const std::int64_t color = call.Int(kColor);
    float rgb[3];
    for (int c = 0; c < 3; ++c) {
      rgb[c] = static_cast<float>(static_cast<double>((color >> (16 - 8 * c)) & 255) / 255.0);
    }
    float* out = image->mutable_data();
    for (std::size_t i = 0; i < image->size(); i += 3) {
      for (std::size_t c = 0; c < 3; ++c) {
        out[i + c] = rgb[c];
      }
    }
    call.SetOutput(0, std::move(*image));
    return {};
  }
};

graph::InputSpec ColorInput() {
  graph::InputSpec input = graph::IntInput("color", {.value = 0, .min = 0, .max = 0xFFFFFF});
  input.options["display"] = "color";
  return input;
}

}  // namespace

graph::NodeClass EmptyImage() {
  return {.spec = {.class_type = "EmptyImage",
                   .display_name = "EmptyImage",
                   .category = "image",
                   .python_module = "nodes",
                   .inputs = {graph::IntInput("width", {.value = 512, .min = 1, .max = 16384}),
                              graph::IntInput("height", {.value = 512, .min = 1, .max = 16384}),
                              graph::IntInput(
                                  "batch_size",
                                  {.value = 1, .min = 1, .max = 4096, .step = std::nullopt}),
                              ColorInput()},
                   .outputs = {{"IMAGE", "IMAGE"}}},
          .make = [] { return std::make_unique<EmptyImageNode>(); }};
}

}  // namespace framelock::nodes
