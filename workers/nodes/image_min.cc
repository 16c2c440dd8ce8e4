// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include "workers/nodes/image_extremes.h"
#include "workers/nodes/node_list.h"

namespace framelock::nodes {

namespace {

class ImageMinNode final : public graph::Node {
 public:
  Status Run(graph::NodeCall& call) override {
    const Result<double> value = SmallestValue(call.Image(0));
    if (!value.ok()) {
      return value.error();
    }
    call.SetOutput(0, *value);
    return {};
  }
};

}  // namespace

graph::NodeClass ImageMin() {
  return {.spec = {.class_type = "ImageMin",
                   .display_name = "Image Minimum Value",
                   .category = "image/postprocessing",
                   .python_module = "nodes",
                   .inputs = {graph::ShowsNoOptions(graph::ImageInput("image"))},
                   .outputs = {{"FLOAT", "FLOAT"}}},
          .make = [] { return std::make_unique<ImageMinNode>(); }};
}

}  // namespace framelock::nodes
