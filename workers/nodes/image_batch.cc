// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <utility>

#include "workers/nodes/image_stack.h"
#include "workers/nodes/node_list.h"

namespace framelock::nodes {

namespace {

enum Input : std::size_t { kImage1, kImage2 };

class ImageBatchNode final : public graph::Node {
 public:
  Status Run(graph::NodeCall& call) override {
    stack_.Add(call.Image(kImage1));
    stack_.Add(call.Image(kImage2));
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

graph::NodeClass ImageBatch() {
  return {.spec = {.class_type = "ImageBatch",
                   .display_name = "Batch Images",
                   .category = "image",
                   .python_module = "nodes",
                   .inputs = {graph::ImageInput("image1"), graph::ImageInput("image2")},
                   .outputs = {{"IMAGE", "IMAGE"}},
                   .deprecated = true},
          .make = [] { return std::make_unique<ImageBatchNode>(); }};
}

}  // namespace framelock::nodes
