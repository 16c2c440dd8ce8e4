// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>

#include "workers/nodes/node_list.h"

namespace framelock::nodes {

namespace {

enum Input : std::size_t { kImage, kRotation };

// Where the pixel of an output position comes from: start + y * down + x * right, in pixels.
struct Walk {
  std::ptrdiff_t start = 0;
  std::ptrdiff_t down = 0;
  std::ptrdiff_t right = 0;
};

// Tiles keep both pictures in the cache, whichever of them is read or written across.
void Copy(const float* in, float* out, const graph::TensorShape& shape, const Walk& walk) {
  constexpr std::ptrdiff_t kTile = 32;
  const std::ptrdiff_t height = shape.height;
  const std::ptrdiff_t width = shape.width;
  const std::ptrdiff_t channels = shape.channels;
  for (std::ptrdiff_t top = 0; top < height; top += kTile) {
    for (std::ptrdiff_t left = 0; left < width; left += kTile) {
      for (std::ptrdiff_t y = top; y < std::min(top + kTile, height); ++y) {
        for (std::ptrdiff_t x = left; x < std::min(left + kTile, width); ++x) {
          const float* from = in + (walk.start + y * walk.down + x * walk.right) * channels;
          float* to = out + (y * width + x) * channels;
          for (std::ptrdiff_t c = 0; c < channels; ++c) {
            to[c] = from[c];
          }
        }
      }
    }
  }
}

// Clockwise.
class ImageRotateNode final : public graph::Node {
 public:
  Status Run(graph::NodeCall& call) override {
    const std::string& rotation = call.Text(kRotation);
    // By the number alone, since links may bring other texts than "none".
    const bool half = rotation.starts_with("180");
    const bool right = rotation.starts_with("90");
    const bool left = rotation.starts_with("270");
    if (!half && !right && !left) {
      call.SetOutput(0, call.TakeTensor(kImage));
      return {};
    }
    const graph::Tensor& image = call.Image(kImage);
    graph::TensorShape shape = image.shape();
    const std::ptrdiff_t height = shape.height;
    const std::ptrdiff_t width = shape.width;
    Walk walk{.start = height * width - 1, .down = -width, .right = -1};
    if (right) {
      walk = {.start = (height - 1) * width, .down = 1, .right = -width};
    } else if (left) {
      walk = {.start = width - 1, .down = -1, .right = width};
    }
    if (!half) {
      std::swap(shape.width, shape.height);
    }
    Result<graph::Tensor> output = call.pool().Allocate(shape);
    if (!output.ok()) {
      return output.error();
    }
    for (std::uint32_t b = 0; b < shape.batch; ++b) {
      Copy(image.data() + b * shape.plane(), output->mutable_data() + b * shape.plane(), shape,
           walk);
    }
    call.SetOutput(0, std::move(*output));
    return {};
  }
};

}  // namespace

graph::NodeClass ImageRotate() {
  return {.spec = {.class_type = "ImageRotate",
                   .category = "image/transform",
                   .python_module = ".",
                   .style = graph::SchemaStyle::kSchema,
                   .inputs = {graph::ImageInput("image"),
                              graph::ChoiceInput("rotation", {"none", "90 degrees", "180 degrees",
                                                              "270 degrees"})},
                   .outputs = {{"IMAGE", "IMAGE"}}},
          .make = [] { return std::make_unique<ImageRotateNode>(); }};
}

}  // namespace framelock::nodes
