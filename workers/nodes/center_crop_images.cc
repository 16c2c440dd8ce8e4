// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>
#include <utility>

#include "workers/nodes/canvas.h"
#include "workers/nodes/elementwise.h"
#include "workers/nodes/node_list.h"

namespace framelock::nodes {

namespace {

enum Input : std::size_t { kImages, kWidth, kHeight };

// The middle of one picture, through 8 bits.
class CenterCropImagesNode final : public graph::Node {
 public:
  Status Run(graph::NodeCall& call) override {
    const graph::TensorShape& from = call.Image(kImages).shape();
    if (from.batch != 1) {
      return Error{ErrorCode::kInvalidArgument, "takes one image, not " + from.ToString()};
    }
    if (call.Int(kWidth) < 0 || call.Int(kHeight) < 0) {
      return Error{ErrorCode::kInvalidArgument, "cannot crop to a negative size"};
    }
    Area area;
    area.width = static_cast<std::uint32_t>(std::min<std::int64_t>(call.Int(kWidth), from.width));
    area.height =
        static_cast<std::uint32_t>(std::min<std::int64_t>(call.Int(kHeight), from.height));
    area.x = (from.width - area.width) / 2;
    area.y = (from.height - area.height) / 2;
    Result<graph::Tensor> output = CutOut(call.Image(kImages), area, call.pool());
    if (!output.ok()) {
      return output.error();
    }
    float* out = output->mutable_data();
    for (std::size_t i = 0; i < output->size(); ++i) {
      out[i] = ByteToFloat(CutToByte(out[i]));
    }
    call.SetOutput(0, std::move(*output));
    return {};
  }
};

}  // namespace

graph::NodeClass CenterCropImages() {
  const graph::IntRange side{.value = 512, .min = 1, .max = 8192, .step = std::nullopt};
  return {.spec = {.class_type = "CenterCropImages",
                   .display_name = "Center Crop Images",
                   .category = "dataset/image",
                   .python_module = ".",
                   .style = graph::SchemaStyle::kSchema,
                   .inputs = {graph::ImageInput("images"), graph::IntInput("width", side),
                              graph::IntInput("height", side)},
                   .outputs = {{"IMAGE", "images"}},
                   .experimental = true},
          .make = [] { return std::make_unique<CenterCropImagesNode>(); }};
}

}  // namespace framelock::nodes
