// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "workers/nodes/node_list.h"
#include "workers/nodes/resample.h"

namespace framelock::nodes {

namespace {

enum Input : std::size_t { kImage, kMethod, kWidth, kHeight, kCrop };

// A side of 0 follows from the other one and the aspect ratio.
std::int64_t Following(std::int64_t own, std::int64_t other_target, std::int64_t other) {
  const double side = static_cast<double>(own * other_target) / static_cast<double>(other);
  return std::max<std::int64_t>(1, std::llrint(side));
}

class ImageScaleNode final : public graph::Node {
 public:
  Status Run(graph::NodeCall& call) override {
    const graph::TensorShape shape = call.Image(kImage).shape();
    std::int64_t width = call.Int(kWidth);
    std::int64_t height = call.Int(kHeight);
    if (width == 0 && height == 0) {
      call.SetOutput(0, call.TakeTensor(kImage));
      return {};
    }
    const bool empty = shape.width == 0 || shape.height == 0;
    if (empty || std::min(width, height) < 0 || std::max(width, height) > kMaxSide) {
      return Error{ErrorCode::kInvalidArgument, "cannot scale " + shape.ToString() + " to " +
                                                    std::to_string(width) + "x" +
                                                    std::to_string(height)};
    }
    width = width == 0 ? Following(shape.width, height, shape.height) : width;
    height = height == 0 ? Following(shape.height, width, shape.width) : height;
    const std::optional<ResampleMethod> method = ParseResampleMethod(call.Text(kMethod));
    if (!method) {
      return Error{ErrorCode::kInvalidArgument, "unknown upscale_method " + call.Text(kMethod)};
    }
    Result<graph::Tensor> output = resampler_.Resample(
        call.Image(kImage),
        {.method = *method,
         .width = static_cast<std::uint32_t>(width),
         .height = static_cast<std::uint32_t>(height),
         .crop = call.Text(kCrop) == "center" ? Crop::kCenter : Crop::kDisabled},
        call.pool());
    if (!output.ok()) {
      return output.error();
    }
    call.SetOutput(0, std::move(*output));
    return {};
  }

 private:
  static constexpr std::int64_t kMaxSide = 1 << 20;  // linked values are not held to the spec
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
