// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <memory>

#include "workers/nodes/node_list.h"
#include "workers/nodes/wanted_size.h"

namespace framelock::nodes {

namespace {

enum Input : std::size_t { kImage, kMethod, kMegapixels, kSteps };

// As many pixels, at the same aspect ratio as far as whole steps allow.
class ImageScaleToTotalPixelsNode final : public graph::Node {
 public:
  Status Run(graph::NodeCall& call) override {
    const graph::Tensor& image = call.Image(kImage);
    const double pixels = static_cast<double>(image.shape().width) * image.shape().height;
    const double steps = call.Has(kSteps) ? static_cast<double>(call.Int(kSteps)) : 1;
    const double factor = std::sqrt(call.Float(kMegapixels) * 1024 * 1024 / pixels);
    const WantedSize scaled = Times(image.shape(), factor);
    const WantedSize counted = WantedSize{scaled.width / steps, scaled.height / steps}.Rounded();
    const WantedSize size{counted.width * steps, counted.height * steps};
    return GiveResized(call, image, MakeTarget(call.Text(kMethod), size), resampler_);
  }

 private:
  Resampler resampler_;
};

}  // namespace

graph::NodeClass ImageScaleToTotalPixels() {
  const graph::IntRange steps{.value = 1, .min = 1, .max = 256, .step = std::nullopt};
  return {
      .spec = {.class_type = "ImageScaleToTotalPixels",
               .category = "image/upscaling",
               .python_module = ".",
               .style = graph::SchemaStyle::kSchema,
               .inputs = {graph::ImageInput("image"),
                          graph::ChoiceInput("upscale_method", ResampleMethodNames()),
                          graph::FloatInput("megapixels", {.value = 1.0, .min = 0.01, .max = 16.0}),
                          graph::Optional(graph::IntInput("resolution_steps", steps))},
               .outputs = {{"IMAGE", "IMAGE"}}},
      .make = [] { return std::make_unique<ImageScaleToTotalPixelsNode>(); }};
}

}  // namespace framelock::nodes
