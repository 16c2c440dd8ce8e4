// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "workers/nodes/node_list.h"
#include "workers/nodes/picture_input.h"

namespace framelock::nodes {

namespace {

// What ComfyUI gives where a picture has no alpha.
constexpr std::uint32_t kNoMaskSide = 64;

class LoadImageNode final : public graph::Node {
 public:
  explicit LoadImageNode(std::shared_ptr<const Workspace> workspace)
      : picture_(std::move(workspace)) {}

  bool HasChanged(graph::NodeCall& call) override { return picture_.HasChanged(call.Text(0)); }

  Status Run(graph::NodeCall& call) override {
    const Result<PngImage> picture = picture_.Read(call.Text(0));
    if (!picture.ok()) {
      return picture.error();
    }
    Result<graph::Tensor> image = call.pool().Allocate({1, picture->height, picture->width, 3});
    if (!image.ok()) {
      return image.error();
    }
    float* out = image->mutable_data();
    for (std::size_t i = 0; i < image->size() / 3; ++i) {
      for (std::size_t channel = 0; channel < 3; ++channel) {
        *out++ = static_cast<float>(picture->rgba[4 * i + channel]) / 255.0F;
      }
    }
    Result<graph::Tensor> mask = Mask(*picture, call.pool());
    if (!mask.ok()) {
      return mask.error();
    }
    call.SetOutput(0, std::move(*image));
    call.SetOutput(1, std::move(*mask));
    return {};
  }

 private:
  static Result<graph::Tensor> Mask(const PngImage& picture, graph::TensorPool& pool) {
    const bool has = picture.has_alpha;
    Result<graph::Tensor> mask =
        pool.Allocate({1, has ? picture.height : kNoMaskSide, has ? picture.width : kNoMaskSide, 1,
                       graph::TensorLayout::kMask});
    if (mask.ok()) {
      float* out = mask->mutable_data();
      for (std::size_t i = 0; i < mask->size(); ++i) {
        out[i] = has ? 1.0F - static_cast<float>(picture.rgba[4 * i + 3]) / 255.0F : 0.0F;
      }
    }
    return mask;
  }

  PictureInput picture_;
};

}  // namespace

graph::NodeClass LoadImage(const std::shared_ptr<const Workspace>& workspace) {
  return {.spec = {.class_type = "LoadImage",
                   .display_name = "Load Image",
                   .category = "image",
                   .python_module = "nodes",
                   .inputs = {PictureChoice(workspace)},
                   .outputs = {{"IMAGE", "IMAGE"}, {"MASK", "MASK"}},
                   .unavailable = WhyNoPictures(workspace.get()),
                   .freshness = graph::Freshness::kWhenChanged},
          .make = [workspace] { return std::make_unique<LoadImageNode>(workspace); }};
}

}  // namespace framelock::nodes
