// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <optional>

#include "workers/nodes/elementwise.h"
#include "workers/nodes/node_list.h"

namespace framelock::nodes {

namespace {

// The distance from grey times the factor, clamped.
class AdjustContrastNode final : public graph::Node {
 public:
  Status Run(graph::NodeCall& call) override {
    const auto factor = static_cast<float>(call.Float(1));
    return MapFirstInput(call,
                         [=](float value) { return Clamp01((value - 0.5F) * factor + 0.5F); });
  }
};

}  // namespace

graph::NodeClass AdjustContrast() {
  return {.spec = {.class_type = "AdjustContrast",
                   .display_name = "Adjust Contrast",
                   .category = "dataset/image",
                   .python_module = ".",
                   .style = graph::SchemaStyle::kSchema,
                   .inputs = {graph::ImageInput("images"),
                              graph::FloatInput(
                                  "factor",
                                  {.value = 1.0, .min = 0.0, .max = 2.0, .step = std::nullopt})},
                   .outputs = {{"IMAGE", "images"}},
                   .experimental = true},
          .make = [] { return std::make_unique<AdjustContrastNode>(); }};
}

}  // namespace framelock::nodes
