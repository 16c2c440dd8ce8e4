// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include "workers/nodes/node_list.h"

namespace framelock::nodes {

namespace {

class GetImageSizeNode final : public graph::Node {
 public:
  Status Run(graph::NodeCall& call) override {
    const graph::TensorShape& shape = call.Image(0).shape();
    call.SetOutput(0, std::int64_t{shape.width});
    call.SetOutput(1, std::int64_t{shape.height});
    call.SetOutput(2, std::int64_t{shape.batch});
    return {};
  }
};

}  // namespace

graph::NodeClass GetImageSize() {
  return {.spec = {.class_type = "GetImageSize",
                   .display_name = "Get Image Size",
                   .category = "image",
                   .python_module = ".",
                   .style = graph::SchemaStyle::kSchema,
                   .inputs = {graph::ImageInput("image")},
                   .hidden = {{"unique_id", "UNIQUE_ID"}},
                   .outputs = {{"INT", "width"}, {"INT", "height"}, {"INT", "batch_size"}}},
          .make = [] { return std::make_unique<GetImageSizeNode>(); }};
}

}  // namespace framelock::nodes
