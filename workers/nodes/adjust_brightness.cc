// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <optional>

#include "workers/nodes/elementwise.h"
#include "workers/nodes/node_list.h"

namespace framelock::nodes {

namespace {

// x times the factor, clamped.
class AdjustBrightnessNode final : public graph::Node {
 public:
  Status Run(graph::NodeCall& call) override {
    const auto factor = static_cast<float>(call.Float(1));
    return MapFirstInput(call, [=](float value) { return Clamp01(value * factor); });
  }
};

}  // namespace

graph::NodeClass AdjustBrightness() {
  return {.spec = {.class_type = "AdjustBrightness",
                   .display_name = "Adjust Brightness",
                   .category = "dataset/image",
                   .python_module = ".",
                   .style = graph::SchemaStyle::kSchema,
                   .inputs = {graph::ImageInput("images"),
                              graph::FloatInput(
                                  "factor",
                                  {.value = 1.0, .min = 0.0, .max = 2.0, .step = std::nullopt})},
                   .outputs = {{"IMAGE", "images"}},
                   .experimental = true},
          .make = [] { return std::make_unique<AdjustBrightnessNode>(); }};
}

}  // namespace framelock::nodes
