// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>
#include <utility>

#include "workers/nodes/canvas.h"
#include "workers/nodes/made_size.h"
#include "workers/nodes/node_list.h"

namespace framelock::nodes {

namespace {

enum Input : std::size_t { kImage, kLeft, kTop, kRight, kBottom, kFeathering };

// What the mask is made from; the same for every frame of a size.
struct Padding {
  std::int64_t left = 0;
  std::int64_t top = 0;
  std::int64_t right = 0;
  std::int64_t bottom = 0;
  std::int64_t feathering = 0;
  std::int64_t width = 0;  // of the picture inside
  std::int64_t height = 0;
  std::uint32_t batch = 0;

  bool operator==(const Padding&) const = default;

  [[nodiscard]] bool feathers() const {
    return feathering > 0 && feathering <= (height - 1) / 2 && feathering <= (width - 1) / 2;
  }

  // How much of a pixel inside is to be painted anew: the nearer to a padded side, the more. The
  // first row and column are at distance 0, the last ones at 1.
  [[nodiscard]] float Mask(std::int64_t x, std::int64_t y) const {
    std::int64_t distance = feathering;
    distance = top != 0 ? std::min(distance, y) : distance;
    distance = bottom != 0 ? std::min(distance, height - y) : distance;
    distance = left != 0 ? std::min(distance, x) : distance;
    distance = right != 0 ? std::min(distance, width - x) : distance;
    const double share =
        static_cast<double>(feathering - distance) / static_cast<double>(feathering);
    return static_cast<float>(share * share);
  }
};

// The picture on a larger grey one, and the mask of what is to be painted.
class ImagePadForOutpaintNode final : public graph::Node {
 public:
  Status Run(graph::NodeCall& call) override {
    const graph::TensorShape& from = call.Image(kImage).shape();
    const Padding padding{
        call.Int(kLeft),       call.Int(kTop), call.Int(kRight), call.Int(kBottom),
        call.Int(kFeathering), from.width,     from.height,      from.batch};
    const Result<graph::TensorShape> margins = MadeShape(
        {padding.left, padding.top, padding.right, padding.bottom}, graph::TensorLayout::kImage);
    if (!margins.ok()) {
      return margins.error();
    }
    // A picture without pixels may be as large as it likes: padding must not take it beyond 32
    // bits.
    const Result<graph::TensorShape> padded =
        MadeShape({from.batch, padding.top + padding.height + padding.bottom,
                   padding.left + padding.width + padding.right, from.channels},
                  from.layout);
    if (!padded.ok()) {
      return padded.error();
    }
    const Canvas canvas{.width = padded->width,
                        .height = padded->height,
                        .x = static_cast<std::uint32_t>(padding.left),
                        .y = static_cast<std::uint32_t>(padding.top),
                        .ground = 0.5F};
    Result<graph::Tensor> image = PlaceOn(canvas, call.Image(kImage), call.pool());
    if (!image.ok()) {
      return image.error();
    }
    if (Status made = MakeMask(padding, canvas, call.pool()); !made.ok()) {
      return made;
    }
    call.SetOutput(0, std::move(*image));
    call.SetOutput(1, mask_);
    return {};
  }

 private:
  Status MakeMask(const Padding& padding, const Canvas& canvas, graph::TensorPool& pool) {
    if (mask_.valid() && padding == padding_) {
      return {};
    }
    mask_ = graph::Tensor();
    Result<graph::Tensor> mask =
        pool.Allocate({padding.batch, canvas.height, canvas.width, 1, graph::TensorLayout::kMask});
    if (!mask.ok()) {
      return mask.error();
    }
    std::fill_n(mask->mutable_data(), mask->size(), 1.0F);
    const std::size_t plane = mask->shape().plane();
    for (std::int64_t y = 0; y < padding.height && padding.batch > 0; ++y) {
      float* out = mask->mutable_data() + static_cast<std::size_t>(padding.top + y) * canvas.width +
                   canvas.x;
      for (std::int64_t x = 0; x < padding.width; ++x) {
        out[x] = padding.feathers() ? padding.Mask(x, y) : 0.0F;
      }
    }
    for (std::size_t b = 1; b < padding.batch; ++b) {
      std::copy_n(mask->data(), plane, mask->mutable_data() + b * plane);
    }
    padding_ = padding;
    mask_ = std::move(*mask);
    return {};
  }

  Padding padding_;
  graph::Tensor mask_;
};

}  // namespace

graph::NodeClass ImagePadForOutpaint() {
  const graph::IntRange margin{.value = 0, .min = 0, .max = 16384, .step = 8};
  return {.spec = {.class_type = "ImagePadForOutpaint",
                   .display_name = "Pad Image for Outpainting",
                   .category = "image",
                   .python_module = "nodes",
                   .inputs = {graph::ImageInput("image"), graph::IntInput("left", margin),
                              graph::IntInput("top", margin), graph::IntInput("right", margin),
                              graph::IntInput("bottom", margin),
                              graph::IntInput("feathering", {.value = 40, .min = 0, .max = 16384})},
                   .outputs = {{"IMAGE", "IMAGE"}, {"MASK", "MASK"}}},
          .make = [] { return std::make_unique<ImagePadForOutpaintNode>(); }};
}

}  // namespace framelock::nodes
