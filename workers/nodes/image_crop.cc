// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>
#include <utility>

#include "workers/nodes/node_list.h"

namespace framelock::nodes {

namespace {

enum Input : std::size_t { kImage, kWidth, kHeight, kX, kY };

// Starts inside the picture, whatever x and y say, and ends at its edges.
class ImageCropNode final : public graph::Node {
 public:
  Status Run(graph::NodeCall& call) override {
    const graph::Tensor& image = call.Image(kImage);
    const graph::TensorShape& from = image.shape();
    const std::int64_t x = std::min<std::int64_t>(call.Int(kX), std::int64_t{from.width} - 1);
    const std::int64_t y = std::min<std::int64_t>(call.Int(kY), std::int64_t{from.height} - 1);
    if (x < 0 || y < 0 || call.Int(kWidth) < 0 || call.Int(kHeight) < 0) {
      return Error{ErrorCode::kInvalidArgument,
                   "cannot crop " + from.ToString() + " at a negative position or size"};
    }
    graph::TensorShape shape = from;
    shape.width = static_cast<std::uint32_t>(std::min(call.Int(kWidth), from.width - x));
    shape.height = static_cast<std::uint32_t>(std::min(call.Int(kHeight), from.height - y));
    Result<graph::Tensor> output = call.pool().Allocate(shape);
    if (!output.ok()) {
      return output.error();
    }
    float* out = output->mutable_data();
    for (std::size_t b = 0; b < shape.batch; ++b) {
      const float* start = image.data() + b * from.plane() +
                           static_cast<std::size_t>(y) * from.row() +
                           static_cast<std::size_t>(x) * from.channels;
      for (std::size_t line = 0; line < shape.height; ++line, out += shape.row()) {
        std::copy_n(start + line * from.row(), shape.row(), out);
      }
    }
    call.SetOutput(0, std::move(*output));
    return {};
  }
};

}  // namespace

graph::NodeClass ImageCrop() {
  return {.spec = {.class_type = "ImageCrop",
                   .display_name = "Image Crop",
                   .category = "image/transform",
                   .python_module = ".",
                   .style = graph::SchemaStyle::kSchema,
                   .inputs = {graph::ImageInput("image"),
                              graph::IntInput("width", {.value = 512, .min = 1, .max = 16384}),
                              graph::IntInput("height", {.value = 512, .min = 1, .max = 16384}),
                              graph::IntInput("x", {.value = 0, .min = 0, .max = 16384}),
                              graph::IntInput("y", {.value = 0, .min = 0, .max = 16384})},
                   .outputs = {{"IMAGE", "IMAGE"}}},
          .make = [] { return std::make_unique<ImageCropNode>(); }};
}

}  // namespace framelock::nodes
