// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include "workers/nodes/elementwise.h"
#include "workers/nodes/node_list.h"

namespace framelock::nodes {

namespace {

enum Input : std::size_t { kImages, kMean, kDeviation };

// Not clamped: what is below the mean becomes negative.
class NormalizeImagesNode final : public graph::Node {
 public:
  Status Run(graph::NodeCall& call) override {
    const auto mean = static_cast<float>(call.Float(kMean));
    const auto deviation = static_cast<float>(call.Float(kDeviation));
    return MapFirstInput(call, [=](float value) { return (value - mean) / deviation; });
  }
};

}  // namespace

graph::NodeClass NormalizeImages() {
  const graph::FloatRange mean{.value = 0.5, .min = 0.0, .max = 1.0, .step = std::nullopt};
  const graph::FloatRange deviation{.value = 0.5, .min = 0.001, .max = 1.0, .step = std::nullopt};
  return {.spec = {.class_type = "NormalizeImages",
                   .display_name = "Normalize Images",
                   .category = "dataset/image",
                   .python_module = ".",
                   .style = graph::SchemaStyle::kSchema,
                   .inputs = {graph::ImageInput("images"), graph::FloatInput("mean", mean),
                              graph::FloatInput("std", deviation)},
                   .outputs = {{"IMAGE", "images"}},
                   .experimental = true},
          .make = [] { return std::make_unique<NormalizeImagesNode>(); }};
}

}  // namespace framelock::nodes
