// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <memory>
#include <utility>

#include "workers/nodes/made_size.h"
#include "workers/nodes/node_list.h"
#include "workers/nodes/resample.h"

namespace framelock::nodes {

namespace {

enum Input : std::size_t { kImage, kMethod, kScale };

class ImageScaleByNode final : public graph::Node {
 public:
  Status Run(graph::NodeCall& call) override {
    const graph::TensorShape& from = call.Image(kImage).shape();
    const double width = std::nearbyint(from.width * call.Float(kScale));
    const double height = std::nearbyint(from.height * call.Float(kScale));
    constexpr double kMost = 1 << 30;  // more than a shape may have, less than overflows; NaN fails
    if (!(std::fabs(width) < kMost) || !(std::fabs(height) < kMost)) {
      return Error{ErrorCode::kInvalidArgument, "cannot scale " + from.ToString() + " so far"};
    }
    const Result<graph::TensorShape> shape =
        MadeShape({from.batch, static_cast<std::int64_t>(height), static_cast<std::int64_t>(width),
                   from.channels},
                  from.layout);
    const std::optional<ResampleMethod> method = ParseResampleMethod(call.Text(kMethod));
    if (!shape.ok() || !method) {
      return shape.ok() ? Error{ErrorCode::kInvalidArgument, "unknown upscale_method"}
                        : shape.error();
    }
    Result<graph::Tensor> output = resampler_.Resample(
        call.Image(kImage), {.method = *method, .width = shape->width, .height = shape->height},
        call.pool());
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
