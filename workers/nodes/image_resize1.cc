// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <utility>

#include "workers/nodes/canvas.h"
#include "workers/nodes/elementwise.h"
#include "workers/nodes/node_list.h"
#include "workers/nodes/wanted_size.h"

namespace framelock::nodes {

namespace {

enum Input : std::size_t { kImage, kMode, kWidth, kHeight, kMethod };

// Fills the wanted size ("cover", and the middle is kept) or fits into it on black ("contain",
// "auto").
class ImageResize1Node final : public graph::Node {
 public:
  Status Run(graph::NodeCall& call) override {
    const graph::Tensor& image = call.Image(kImage);
    const WantedSize wanted{static_cast<double>(call.Int(kWidth)),
                            static_cast<double>(call.Int(kHeight))};
    const Result<ResampleTarget> frame = MakeTarget(call.Text(kMethod), wanted);
    if (!frame.ok()) {
      return frame.error();
    }
    const double across = wanted.width / image.shape().width;
    const double down = wanted.height / image.shape().height;
    if (call.Text(kMode) == "cover") {
      return Cover(call, *frame, Times(image.shape(), std::max(across, down)).Cut());
    }
    const bool contain = call.Text(kMode) == "contain";
    const WantedSize inside = contain ? Times(image.shape(), std::min(across, down)).Cut()
                                      : Fitting(image.shape(), wanted);
    const bool fills = inside.width == frame->width && inside.height == frame->height;
    if (image.shape().channels != 3 && (contain || !fills)) {
      return Error{ErrorCode::kInvalidArgument, "the canvas has 3 channels, the image " +
                                                    std::to_string(image.shape().channels)};
    }
    return Contain(call, *frame, inside);
  }

 private:
  // One side is that of the frame, and the other one follows: "auto".
  static WantedSize Fitting(const graph::TensorShape& from, const WantedSize& frame) {
    const double width = from.width;
    const double height = from.height;
    return width / height > frame.width / frame.height
               ? WantedSize{frame.width, std::trunc(height * frame.width / width)}
               : WantedSize{std::trunc(width * frame.height / height), frame.height};
  }

  Status Cover(graph::NodeCall& call, const ResampleTarget& frame, WantedSize size) {
    // The division may have taken the last pixel of the side that fits.
    size.width = std::max<double>(size.width, frame.width);
    size.height = std::max<double>(size.height, frame.height);
    Result<graph::Tensor> resized = Resize(call, size);
    if (!resized.ok()) {
      return resized.error();
    }
    return GiveClamped(call, CutOut(*resized,
                                    {.x = (resized->shape().width - frame.width) / 2,
                                     .y = (resized->shape().height - frame.height) / 2,
                                     .width = frame.width,
                                     .height = frame.height},
                                    call.pool()));
  }

  Status Contain(graph::NodeCall& call, const ResampleTarget& frame, const WantedSize& size) {
    Result<graph::Tensor> resized = Resize(call, size);
    if (!resized.ok()) {
      return resized.error();
    }
    return GiveClamped(call, PlaceOn({.width = frame.width,
                                      .height = frame.height,
                                      .x = (frame.width - resized->shape().width) / 2,
                                      .y = (frame.height - resized->shape().height) / 2},
                                     *resized, call.pool()));
  }

  Result<graph::Tensor> Resize(graph::NodeCall& call, const WantedSize& size) {
    const Result<ResampleTarget> target = MakeTarget(call.Text(kMethod), size);
    return target.ok()
               ? resampler_.Resample(call.Image(kImage), *target, call.pool(), call.threads())
               : Result<graph::Tensor>(target.error());
  }

  static Status GiveClamped(graph::NodeCall& call, Result<graph::Tensor> output) {
    if (!output.ok()) {
      return output.error();
    }
    float* out = output->mutable_data();
    for (std::size_t i = 0; i < output->size(); ++i) {
      out[i] = Clamp01(out[i]);
    }
    call.SetOutput(0, std::move(*output));
    return {};
  }

  Resampler resampler_;
};

graph::InputSpec SideInput(std::string name) {
  graph::InputSpec input{.name = std::move(name), .type = "INT", .kind = graph::ValueKind::kInt};
  input.options = {{"min", 1}};
  return input;
}

}  // namespace

graph::NodeClass ImageResize1() {
  return {
      .spec = {.class_type = "ImageResize1",
               .display_name = "Fit Image to Width Height",
               .category = "image/transform",
               .python_module = "nodes",
               .inputs = {graph::ImageInput("image"),
                          graph::ChoiceInput("resize_mode", {"cover", "contain", "auto"}, "cover"),
                          SideInput("width"), SideInput("height"),
                          graph::ChoiceInput("interpolation", ResampleMethodNames(), "lanczos")},
               .outputs = {{"IMAGE", "IMAGE"}}},
      .make = [] { return std::make_unique<ImageResize1Node>(); }};
}

}  // namespace framelock::nodes
