// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "workers/nodes/channels.h"
#include "workers/nodes/node_list.h"

namespace framelock::nodes {

namespace {

enum Input : std::size_t { kMask, kLeft, kTop, kRight, kBottom };

// 1/n, 2/n, … 1.
void FillRamp(std::int64_t wanted, std::uint32_t side, std::vector<float>& ramp) {
  const std::int64_t count = std::clamp<std::int64_t>(wanted, 0, side);
  ramp.resize(static_cast<std::size_t>(count));
  for (std::int64_t k = 0; k < count; ++k) {
    ramp[static_cast<std::size_t>(k)] =
        static_cast<float>(static_cast<double>(k + 1) / static_cast<double>(count));
  }
}

// Where step k of the ramp for the far edge lands: step 0 on the FIRST position, because -0 is 0
// where the original counts from the end.
std::size_t FromEnd(std::size_t k, std::size_t side) { return k == 0 ? 0 : side - k; }

void Scale(std::span<float> values, float factor) {
  for (float& value : values) {
    value *= factor;
  }
}

// Fades the mask out towards its edges.
class FeatherMaskNode final : public graph::Node {
 public:
  Status Run(graph::NodeCall& call) override {
    graph::Tensor mask = call.TakeTensor(kMask);
    const graph::TensorShape& shape = mask.shape();
    if (mask.size() == 0) {
      return EmptyMask(shape);
    }
    FillRamp(call.Int(kLeft), shape.width, left_);
    FillRamp(call.Int(kRight), shape.width, right_);
    FillRamp(call.Int(kTop), shape.height, top_);
    FillRamp(call.Int(kBottom), shape.height, bottom_);
    Result<graph::Tensor> output = call.OutputLike(mask);
    if (!output.ok()) {
      return output.error();
    }
    if (output->data() != mask.data()) {
      std::ranges::copy(mask.values(), output->mutable_data());
    }
    for (std::size_t b = 0; b < shape.batch; ++b) {
      Feather(output->mutable_data() + b * shape.plane(), shape.height, shape.width);
    }
    call.SetOutput(0, std::move(*output));
    return {};
  }

 private:
  void Feather(float* mask, std::size_t height, std::size_t width) const {
    for (std::size_t y = 0; y < height; ++y) {
      float* row = mask + y * width;
      for (std::size_t k = 0; k < left_.size(); ++k) {
        row[k] *= left_[k];
      }
      for (std::size_t k = 0; k < right_.size(); ++k) {
        row[FromEnd(k, width)] *= right_[k];
      }
    }
    for (std::size_t k = 0; k < top_.size(); ++k) {
      Scale({mask + k * width, width}, top_[k]);
    }
    for (std::size_t k = 0; k < bottom_.size(); ++k) {
      Scale({mask + FromEnd(k, height) * width, width}, bottom_[k]);
    }
  }

  std::vector<float> left_;
  std::vector<float> right_;
  std::vector<float> top_;
  std::vector<float> bottom_;
};

}  // namespace

graph::NodeClass FeatherMask() {
  const auto edge = [](const char* name) {
    return graph::IntInput(name, {.value = 0, .min = 0, .max = 16384});
  };
  return {.spec = {.class_type = "FeatherMask",
                   .category = "mask",
                   .python_module = ".",
                   .style = graph::SchemaStyle::kSchema,
                   .inputs = {graph::MaskInput("mask"), edge("left"), edge("top"), edge("right"),
                              edge("bottom")},
                   .outputs = {{"MASK", "MASK"}}},
          .make = [] { return std::make_unique<FeatherMaskNode>(); }};
}

}  // namespace framelock::nodes
