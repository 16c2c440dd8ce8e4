// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include "workers/nodes/elementwise.h"
#include "workers/nodes/node_list.h"

namespace framelock::nodes {

namespace {

// 1 - x, without clamping.
class InvertMaskNode final : public graph::Node {
 public:
  Status Run(graph::NodeCall& call) override {
    return MapFirstInput(call, [](float value) { return 1.0F - value; });
  }
};

}  // namespace

graph::NodeClass InvertMask() {
  return {.spec = {.class_type = "InvertMask",
                   .category = "mask",
                   .python_module = ".",
                   .style = graph::SchemaStyle::kSchema,
                   .inputs = {graph::MaskInput("mask")},
                   .outputs = {{"MASK", "MASK"}}},
          .make = [] { return std::make_unique<InvertMaskNode>(); }};
}

}  // namespace framelock::nodes
