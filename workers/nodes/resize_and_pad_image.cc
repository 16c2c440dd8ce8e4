// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>
#include <utility>

#include "workers/nodes/canvas.h"
#include "workers/nodes/node_list.h"
#include "workers/nodes/wanted_size.h"

namespace framelock::nodes {

namespace {

enum Input : std::size_t { kImage, kWidth, kHeight, kColor, kMethod };

// All of the picture, centred on a canvas of the wanted size.
class ResizeAndPadImageNode final : public graph::Node {
 public:
  Status Run(graph::NodeCall& call) override {
    const graph::Tensor& image = call.Image(kImage);
    const WantedSize wanted{static_cast<double>(call.Int(kWidth)),
                            static_cast<double>(call.Int(kHeight))};
    const Result<ResampleTarget> canvas = MakeTarget(call.Text(kMethod), wanted);
    if (!canvas.ok()) {
      return canvas.error();
    }
    const double scale =
        std::min(wanted.width / image.shape().width, wanted.height / image.shape().height);
    const Result<ResampleTarget> target =
        MakeTarget(call.Text(kMethod), Times(image.shape(), scale).Cut());
    if (!target.ok()) {
      return target.error();
    }
    Result<graph::Tensor> resized =
        resampler_.Resample(image, *target, call.pool(), call.threads());
    if (!resized.ok()) {
      return resized.error();
    }
    Result<graph::Tensor> output = PlaceOn({.width = canvas->width,
                                            .height = canvas->height,
                                            .x = (canvas->width - target->width) / 2,
                                            .y = (canvas->height - target->height) / 2,
                                            .ground = call.Text(kColor) == "black" ? 0.0F : 1.0F},
                                           *resized, call.pool());
    if (!output.ok()) {
      return output.error();
    }
    call.SetOutput(0, std::move(*output));
    return {};
  }

 private:
  Resampler resampler_;
};

}  // namespace

graph::NodeClass ResizeAndPadImage() {
  const graph::IntRange side{.value = 512, .min = 1, .max = 16384};
  return {
      .spec = {.class_type = "ResizeAndPadImage",
               .category = "image/transform",
               .python_module = ".",
               .style = graph::SchemaStyle::kSchema,
               .inputs = {graph::ImageInput("image"), graph::IntInput("target_width", side),
                          graph::IntInput("target_height", side),
                          graph::ChoiceInput("padding_color", {"white", "black"}),
                          graph::ChoiceInput("interpolation", {"area", "bicubic", "nearest-exact",
                                                               "bilinear", "lanczos"})},
               .outputs = {{"IMAGE", "IMAGE"}}},
      .make = [] { return std::make_unique<ResizeAndPadImageNode>(); }};
}

}  // namespace framelock::nodes
