// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include "workers/nodes/node_list.h"
#include "workers/nodes/wanted_size.h"

namespace framelock::nodes {

namespace {

enum Input : std::size_t { kImage, kMethod, kWidth, kHeight, kCrop };

class ImageScaleNode final : public graph::Node {
 public:
  Status Run(graph::NodeCall& call) override {
    if (call.Int(kWidth) == 0 && call.Int(kHeight) == 0) {
      call.SetOutput(0, call.TakeTensor(kImage));
      return {};
    }
    const graph::Tensor& image = call.Image(kImage);
    const WantedSize size = WithFollowingSide(
        image.shape(),
        {static_cast<double>(call.Int(kWidth)), static_cast<double>(call.Int(kHeight))});
    const Crop crop = call.Text(kCrop) == "center" ? Crop::kCenter : Crop::kDisabled;
    return GiveResized(call, image, MakeTarget(call.Text(kMethod), size, crop), resampler_);
  }

 private:
  Resampler resampler_;
};

}  // namespace

graph::NodeClass ImageScale() {
  const graph::IntRange side{.value = 512, .min = 0, .max = 16384};
  return {.spec = {.class_type = "ImageScale",
                   .display_name = "Upscale Image",
                   .category = "image/upscaling",
                   .python_module = "nodes",
                   .inputs = {graph::ImageInput("image"),
                              graph::ChoiceInput("upscale_method", ResampleMethodNames()),
                              graph::IntInput("width", side), graph::IntInput("height", side),
                              graph::ChoiceInput("crop", {"disabled", "center"})},
                   .outputs = {{"IMAGE", "IMAGE"}}},
          .make = [] { return std::make_unique<ImageScaleNode>(); }};
}

}  // namespace framelock::nodes
