// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include "workers/nodes/node_list.h"

namespace framelock::nodes {

namespace {

// The frame that leaves the graph. Conversion to bytes, and with it clamping, is the boundary's.
class SaveTensorNode final : public graph::Node {
 public:
  Status Run(graph::NodeCall& call) override {
    call.Emit(call.TakeTensor(0));
    return {};
  }
};

}  // namespace

graph::NodeClass SaveTensor() {
  return {.spec = {.class_type = "SaveTensor",
                   .display_name = "SaveTensor",
                   .category = "tensor_utils",
                   .python_module = "custom_nodes.comfystream",
                   .inputs = {graph::ImageInput("images")},
                   .is_output = true,
                   .pixels = graph::Pixels::kPassedOn},
          .make = [] { return std::make_unique<SaveTensorNode>(); }};
}

}  // namespace framelock::nodes
