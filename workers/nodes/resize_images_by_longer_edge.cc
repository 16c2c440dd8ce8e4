// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include "workers/nodes/node_list.h"
#include "workers/nodes/resize_images_by_edge.h"

namespace framelock::nodes {

namespace {

enum Input : std::size_t { kImages, kEdge };

class ResizeImagesByLongerEdgeNode final : public graph::Node {
 public:
  Status Run(graph::NodeCall& call) override {
    const graph::Tensor& images = call.Image(kImages);
    const graph::TensorShape& shape = images.shape();
    const auto edge = static_cast<double>(call.Int(kEdge));
    return shape.width > shape.height ? GiveWithWidth(call, images, edge, resampler_)
                                      : GiveWithHeight(call, images, edge, resampler_);
  }

 private:
  Resampler resampler_;
};

}  // namespace

graph::NodeClass ResizeImagesByLongerEdge() {
  const graph::IntRange edge{.value = 1024, .min = 1, .max = 8192, .step = std::nullopt};
  return {.spec = {.class_type = "ResizeImagesByLongerEdge",
                   .display_name = "Resize Images by Longer Edge",
                   .category = "dataset/image",
                   .python_module = ".",
                   .style = graph::SchemaStyle::kSchema,
                   .inputs = {graph::ImageInput("images"), graph::IntInput("longer_edge", edge)},
                   .outputs = {{"IMAGE", "images"}},
                   .experimental = true},
          .make = [] { return std::make_unique<ResizeImagesByLongerEdgeNode>(); }};
}

}  // namespace framelock::nodes
