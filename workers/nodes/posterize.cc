// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include "workers/nodes/channels.h"
#include "workers/nodes/elementwise.h"
#include "workers/nodes/node_list.h"

namespace framelock::nodes {

namespace {

// Rounds to so many evenly spaced values.
class PosterizeNode final : public graph::Node {
 public:
  Status Run(graph::NodeCall& call) override {
    if (Status three = TakesThreeChannels(call.Image(0).shape()); !three.ok()) {
      return three;
    }
    const auto scale = static_cast<float>(static_cast<double>(call.Int(1) - 1) / 255.0);
    return MapFirstInput(call, [=](float value) {
      return Clamp01(RoundHalfToEven(value * 255.0F * scale) / scale / 255.0F);
    });
  }
};

}  // namespace

graph::NodeClass Posterize() {
  return {.spec = {.class_type = "Posterize",
                   .display_name = "Posterize",
                   .category = "image/adjustments",
                   .python_module = "nodes",
                   .inputs = {graph::ImageInput("image"),
                              graph::IntInput("levels", {.value = 4, .min = 2, .max = 256})},
                   .outputs = {{"IMAGE", "IMAGE"}}},
          .make = [] { return std::make_unique<PosterizeNode>(); }};
}

}  // namespace framelock::nodes
