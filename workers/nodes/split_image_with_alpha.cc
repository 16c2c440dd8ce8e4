// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>
#include <utility>

#include "workers/nodes/channels.h"
#include "workers/nodes/node_list.h"

namespace framelock::nodes {

namespace {

// The colours, and as a mask what is transparent: 1 - alpha, 0 where there is no alpha.
class SplitImageWithAlphaNode final : public graph::Node {
 public:
  Status Run(graph::NodeCall& call) override {
    const graph::Tensor image = call.Image(0);
    graph::TensorShape shape = image.shape();
    const std::size_t step = shape.channels;
    Result<graph::Tensor> colors =
        WithChannels(image, std::min<std::uint32_t>(shape.channels, 3), call.pool());
    if (!colors.ok()) {
      return colors.error();
    }
    shape.layout = graph::TensorLayout::kMask;
    shape.channels = 1;
    Result<graph::Tensor> mask = call.pool().Allocate(shape);
    if (!mask.ok()) {
      return mask.error();
    }
    float* out = mask->mutable_data();
    if (step < 4) {
      std::fill_n(out, mask->size(), 0.0F);
    } else {
      const float* alpha = image.data() + 3;
      for (std::size_t i = 0; i < mask->size(); ++i) {
        out[i] = 1.0F - alpha[i * step];
      }
    }
    call.SetOutput(0, std::move(*colors));
    call.SetOutput(1, std::move(*mask));
    return {};
  }
};

}  // namespace

graph::NodeClass SplitImageWithAlpha() {
  return {.spec = {.class_type = "SplitImageWithAlpha",
                   .display_name = "Split Image with Alpha",
                   .category = "mask/compositing",
                   .style = graph::SchemaStyle::kSchema,
                   .inputs = {graph::ImageInput("image")},
                   .outputs = {{"IMAGE", "IMAGE"}, {"MASK", "MASK"}}},
          .make = [] { return std::make_unique<SplitImageWithAlphaNode>(); }};
}

}  // namespace framelock::nodes
