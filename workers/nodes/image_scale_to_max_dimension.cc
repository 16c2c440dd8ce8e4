// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <utility>
#include <vector>

#include "workers/nodes/node_list.h"
#include "workers/nodes/wanted_size.h"

namespace framelock::nodes {

namespace {

enum Input : std::size_t { kImage, kMethod, kLargest };

class ImageScaleToMaxDimensionNode final : public graph::Node {
 public:
  Status Run(graph::NodeCall& call) override {
    const graph::Tensor& image = call.Image(kImage);
    const WantedSize size = WithLongerSide(image.shape(), static_cast<double>(call.Int(kLargest)));
    return GiveResized(call, image, MakeTarget(call.Text(kMethod), size), resampler_);
  }

 private:
  Resampler resampler_;
};

}  // namespace

graph::NodeClass ImageScaleToMaxDimension() {
  // The original lists bilinear twice.
  std::vector<std::string> methods{"area",          "lanczos",  "bilinear",
                                   "nearest-exact", "bilinear", "bicubic"};
  return {
      .spec = {.class_type = "ImageScaleToMaxDimension",
               .category = "image/upscaling",
               .python_module = ".",
               .style = graph::SchemaStyle::kSchema,
               .inputs = {graph::ImageInput("image"),
                          graph::ChoiceInput("upscale_method", std::move(methods)),
                          graph::IntInput("largest_size", {.value = 512, .min = 0, .max = 16384})},
               .outputs = {{"IMAGE", "IMAGE"}}},
      .make = [] { return std::make_unique<ImageScaleToMaxDimensionNode>(); }};
}

}  // namespace framelock::nodes
