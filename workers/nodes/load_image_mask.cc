// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "workers/nodes/node_list.h"
#include "workers/nodes/picture_input.h"

namespace framelock::nodes {

namespace {

enum Input : std::size_t { kImage, kChannel };

// One channel of a picture; of alpha, what is transparent.
class LoadImageMaskNode final : public graph::Node {
 public:
  explicit LoadImageMaskNode(std::shared_ptr<const Workspace> workspace)
      : picture_(std::move(workspace)) {}

  bool HasChanged(graph::NodeCall& call) override { return picture_.HasChanged(call.Text(kImage)); }

  Status Run(graph::NodeCall& call) override {
    const Result<PngImage> picture = picture_.Read(call.Text(kImage));
    if (!picture.ok()) {
      return picture.error();
    }
    const std::size_t channel = std::string_view("rgba").find(call.Text(kChannel).substr(0, 1));
    if (call.Text(kChannel).empty() || channel == std::string_view::npos) {
      return Error{ErrorCode::kInvalidArgument, "no channel is '" + call.Text(kChannel) + "'"};
    }
    Result<graph::Tensor> mask =
        call.pool().Allocate({1, picture->height, picture->width, 1, graph::TensorLayout::kMask});
    if (!mask.ok()) {
      return mask.error();
    }
    float* out = mask->mutable_data();
    for (std::size_t i = 0; i < mask->size(); ++i) {
      const float value = static_cast<float>(picture->rgba[4 * i + channel]) / 255.0F;
      out[i] = channel == 3 ? 1.0F - value : value;
    }
    call.SetOutput(0, std::move(*mask));
    return {};
  }

 private:
  PictureInput picture_;
};

}  // namespace

graph::NodeClass LoadImageMask(const std::shared_ptr<const Workspace>& workspace) {
  return {.spec = {.class_type = "LoadImageMask",
                   .display_name = "Load Image (as Mask)",
                   .category = "mask",
                   .python_module = "nodes",
                   .inputs = {PictureChoice(workspace),
                              graph::ChoiceInput("channel", {"alpha", "red", "green", "blue"})},
                   .outputs = {{"MASK", "MASK"}},
                   .unavailable = WhyNoPictures(workspace.get()),
                   .freshness = graph::Freshness::kWhenChanged},
          .make = [workspace] { return std::make_unique<LoadImageMaskNode>(workspace); }};
}

}  // namespace framelock::nodes
