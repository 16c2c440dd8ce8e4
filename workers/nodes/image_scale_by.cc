// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include "workers/nodes/node_list.h"
#include "workers/nodes/wanted_size.h"

namespace framelock::nodes {

namespace {

enum Input : std::size_t { kImage, kMethod, kScale };

class ImageScaleByNode final : public graph::Node {
 public:
  Status Run(graph::NodeCall& call) override {
    const graph::Tensor& image = call.Image(kImage);
    const WantedSize size = Times(image.shape(), call.Float(kScale)).Rounded();
    return GiveResized(call, image, MakeTarget(call.Text(kMethod), size), resampler_);
  }

 private:
  Resampler resampler_;
};

}  // namespace

graph::NodeClass ImageScaleBy() {
  return {
      .spec = {.class_type = "ImageScaleBy",
               .display_name = "Upscale Image By",
               .category = "image/upscaling",
               .python_module = "nodes",
               .inputs = {graph::ImageInput("image"),
                          graph::ChoiceInput("upscale_method", ResampleMethodNames()),
                          graph::FloatInput("scale_by", {.value = 1.0, .min = 0.01, .max = 8.0})},
               .outputs = {{"IMAGE", "IMAGE"}}},
      .make = [] { return std::make_unique<ImageScaleByNode>(); }};
}

}  // namespace framelock::nodes
