// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include "workers/nodes/node_list.h"

namespace framelock::nodes {

namespace {

// The frame of the stream. The frame is there before the graph runs, so the timeout never passes.
class LoadTensorNode final : public graph::Node {
 public:
  Status Run(graph::NodeCall& call) override {
    call.SetOutput(0, call.TakeFrame());
    return {};
  }
};

}  // namespace

graph::NodeClass LoadTensor() {
  return {.spec = {.class_type = "LoadTensor",
                   .display_name = "LoadTensor",
                   .category = "ComfyStream/Loaders",
                   .python_module = "custom_nodes.comfystream",
                   .inputs = {graph::Optional(graph::FloatInput(
                       "timeout_seconds", {.value = 1.0, .min = 0.1, .max = 30.0, .step = 0.1}))},
                   .outputs = {{"IMAGE", "IMAGE"}},
                   .source = graph::Medium::kPicture,
                   .freshness = graph::Freshness::kEveryFrame,
                   .pixels = graph::Pixels::kPassedOn},
          .make = [] { return std::make_unique<LoadTensorNode>(); }};
}

}  // namespace framelock::nodes
