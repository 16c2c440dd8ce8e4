// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include "workers/nodes/node_list.h"
#include "workers/nodes/resize_images_by_edge.h"

namespace framelock::nodes {

namespace {

enum Input : std::size_t { kImages, kEdge };

class ResizeImagesByShorterEdgeNode final : public graph::Node {
 public:
  Status Run(graph::NodeCall& call) override {
    const graph::Tensor& image = call.Image(kImages);
    const graph::TensorShape& shape = image.shape();
    if (shape.batch != 1) {
      return Error{ErrorCode::kInvalidArgument, "takes one image, not " + shape.ToString()};
    }
    const auto edge = static_cast<double>(call.Int(kEdge));
    return shape.width < shape.height ? GiveWithWidth(call, image, edge, resampler_)
                                      : GiveWithHeight(call, image, edge, resampler_);
  }

 private:
  Resampler resampler_;
};

}  // namespace

graph::NodeClass ResizeImagesByShorterEdge() {
  const graph::IntRange edge{.value = 512, .min = 1, .max = 8192, .step = std::nullopt};
  return {.spec = {.class_type = "ResizeImagesByShorterEdge",
                   .display_name = "Resize Images by Shorter Edge",
                   .category = "dataset/image",
                   .python_module = ".",
                   .style = graph::SchemaStyle::kSchema,
                   .inputs = {graph::ImageInput("images"), graph::IntInput("shorter_edge", edge)},
                   .outputs = {{"IMAGE", "images"}},
                   .experimental = true},
          .make = [] { return std::make_unique<ResizeImagesByShorterEdgeNode>(); }};
}

}  // namespace framelock::nodes
