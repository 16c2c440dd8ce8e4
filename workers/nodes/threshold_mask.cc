// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include "workers/nodes/elementwise.h"
#include "workers/nodes/node_list.h"

namespace framelock::nodes {

namespace {

// 1 where the mask is strictly greater than the value, else 0.
class ThresholdMaskNode final : public graph::Node {
 public:
  Status Run(graph::NodeCall& call) override {
    const auto threshold = static_cast<float>(call.Float(1));
    return MapFirstInput(call, [=](float value) { return value > threshold ? 1.0F : 0.0F; });
  }
};

}  // namespace

graph::NodeClass ThresholdMask() {
  return {.spec = {.class_type = "ThresholdMask",
                   .category = "mask",
                   .python_module = ".",
                   .style = graph::SchemaStyle::kSchema,
                   .inputs = {graph::MaskInput("mask"),
                              graph::FloatInput("value", {.value = 0.5, .min = 0.0, .max = 1.0})},
                   .outputs = {{"MASK", "MASK"}}},
          .make = [] { return std::make_unique<ThresholdMaskNode>(); }};
}

}  // namespace framelock::nodes
