// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <limits>
#include <memory>
#include <utility>

#include "workers/nodes/elementwise.h"
#include "workers/nodes/node_list.h"
#include "workers/nodes/torch_random.h"

namespace framelock::nodes {

namespace {

enum Input : std::size_t { kImage, kSeed, kStrength };

// Normal noise of one seed: the same on every frame.
class ImageAddNoiseNode final : public graph::Node {
 public:
  Status Run(graph::NodeCall& call) override {
    if (Status made = MakeNoise(call); !made.ok()) {
      return made;
    }
    const auto strength = static_cast<float>(call.Float(kStrength));
    const float* noise = noise_.data();
    return MapFirstInputByPosition(
        call, [=](float value, std::size_t i) { return Clamp01(value + strength * noise[i]); });
  }

 private:
  Status MakeNoise(graph::NodeCall& call) {
    const auto seed = static_cast<std::uint64_t>(call.Int(kSeed));
    const graph::TensorShape& shape = call.Image(kImage).shape();
    if (noise_.valid() && seed == seed_ && shape == noise_.shape()) {
      return {};
    }
    noise_ = graph::Tensor();
    Result<graph::Tensor> noise = call.pool().Allocate(shape);
    if (!noise.ok()) {
      return noise.error();
    }
    FillNormal({noise->mutable_data(), noise->size()}, seed);
    noise_ = std::move(*noise);
    seed_ = seed;
    return {};
  }

  std::uint64_t seed_ = 0;
  graph::Tensor noise_;
};

graph::InputSpec SeedInput() {
  graph::InputSpec input =
      graph::IntInput("seed", {.value = 0,
                               .min = 0,
                               .max = std::numeric_limits<std::uint64_t>::max(),
                               .step = std::nullopt});
  input.options["control_after_generate"] = true;
  return input;
}

}  // namespace

graph::NodeClass ImageAddNoise() {
  return {
      .spec = {.class_type = "ImageAddNoise",
               .category = "image",
               .python_module = ".",
               .style = graph::SchemaStyle::kSchema,
               .inputs = {graph::ImageInput("image"), SeedInput(),
                          graph::FloatInput("strength", {.value = 0.5, .min = 0.0, .max = 1.0})},
               .outputs = {{"IMAGE", "IMAGE"}}},
      .make = [] { return std::make_unique<ImageAddNoiseNode>(); }};
}

}  // namespace framelock::nodes
