// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <utility>

#include "workers/nodes/image_stack.h"
#include "workers/nodes/node_list.h"

namespace framelock::nodes {

namespace {

class BatchImagesNode final : public graph::Node {
 public:
  Status Run(graph::NodeCall& call) override {
    for (std::size_t i = 0; i < call.input_count(); ++i) {
      if (call.Has(i)) {
        stack_.Add(call.Image(i));
      }
    }
    Result<graph::Tensor> output = stack_.Take(call.pool());
    if (!output.ok()) {
      return output.error();
    }
    call.SetOutput(0, std::move(*output));
    return {};
  }

 private:
  ImageStack stack_;
};

}  // namespace

graph::NodeClass BatchImages() {
  return {.spec = {.class_type = "BatchImagesNode",
                   .display_name = "Batch Images",
                   .category = "image",
                   .python_module = ".",
                   .style = graph::SchemaStyle::kSchema,
                   .inputs = {graph::AutogrowInput("images", graph::ImageInput("image"),
                                                   {.prefix = "image", .min = 2, .max = 50})},
                   .outputs = {{"IMAGE", "IMAGE"}}},
          .make = [] { return std::make_unique<BatchImagesNode>(); }};
}

}  // namespace framelock::nodes
