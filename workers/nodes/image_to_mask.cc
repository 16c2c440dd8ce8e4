// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "workers/nodes/node_list.h"

namespace framelock::nodes {

namespace {

enum Input : std::size_t { kImage, kChannel };

constexpr std::array<std::string_view, 4> kChannels{"red", "green", "blue", "alpha"};

// One channel of the picture.
class ImageToMaskNode final : public graph::Node {
 public:
  Status Run(graph::NodeCall& call) override {
    const graph::Tensor& image = call.Image(kImage);
    graph::TensorShape shape = image.shape();
    const auto channel = static_cast<std::size_t>(
        std::ranges::find(kChannels, std::string_view(call.Text(kChannel))) - kChannels.begin());
    if (channel >= shape.channels) {
      return Error{ErrorCode::kInvalidArgument, "index " + std::to_string(channel) +
                                                    " is out of bounds for dimension 3 with size " +
                                                    std::to_string(shape.channels)};
    }
    const std::size_t step = shape.channels;
    shape.layout = graph::TensorLayout::kMask;
    shape.channels = 1;
    Result<graph::Tensor> mask = call.pool().Allocate(shape);
    if (!mask.ok()) {
      return mask.error();
    }
    const float* in = image.data() + channel;
    float* out = mask->mutable_data();
    for (std::size_t i = 0; i < mask->size(); ++i) {
      out[i] = in[i * step];
    }
    call.SetOutput(0, std::move(*mask));
    return {};
  }
};

}  // namespace

graph::NodeClass ImageToMask() {
  return {.spec = {.class_type = "ImageToMask",
                   .display_name = "Convert Image to Mask",
                   .category = "mask",
                   .python_module = ".",
                   .style = graph::SchemaStyle::kSchema,
                   .inputs = {graph::ImageInput("image"),
                              graph::ChoiceInput("channel", {kChannels.begin(), kChannels.end()})},
                   .outputs = {{"MASK", "MASK"}}},
          .make = [] { return std::make_unique<ImageToMaskNode>(); }};
}

}  // namespace framelock::nodes
