// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <utility>

#include "workers/nodes/image_stack.h"
#include "workers/nodes/node_list.h"

namespace framelock::nodes {

namespace {

class BatchMasksNode final : public graph::Node {
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

graph::NodeClass BatchMasks() {
  return {.spec = {.class_type = "BatchMasksNode",
                   .display_name = "Batch Masks",
                   .category = "mask",
                   .python_module = ".",
                   .style = graph::SchemaStyle::kSchema,
                   .inputs = {graph::AutogrowInput("masks", graph::MaskInput("mask"),
                                                   {.prefix = "mask", .min = 2, .max = 50})},
                   .outputs = {{"MASK", "MASK"}}},
          .make = [] { return std::make_unique<BatchMasksNode>(); }};
}

}  // namespace framelock::nodes
