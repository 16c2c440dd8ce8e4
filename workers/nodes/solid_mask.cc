// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>
#include <utility>

#include "workers/nodes/made_size.h"
#include "workers/nodes/node_list.h"

namespace framelock::nodes {

namespace {

enum Input : std::size_t { kValue, kWidth, kHeight };

class SolidMaskNode final : public graph::Node {
 public:
  Status Run(graph::NodeCall& call) override {
    const Result<graph::TensorShape> shape =
        MadeShape({1, call.Int(kHeight), call.Int(kWidth), 1}, graph::TensorLayout::kMask);
    if (!shape.ok()) {
      return shape.error();
    }
    Result<graph::Tensor> mask = call.pool().Allocate(*shape);
    if (!mask.ok()) {
      return mask.error();
    }
    std::fill_n(mask->mutable_data(), mask->size(), static_cast<float>(call.Float(kValue)));
    call.SetOutput(0, std::move(*mask));
    return {};
  }
};

}  // namespace

graph::NodeClass SolidMask() {
  return {.spec = {.class_type = "SolidMask",
                   .category = "mask",
                   .python_module = ".",
                   .style = graph::SchemaStyle::kSchema,
                   .inputs = {graph::FloatInput("value", {.value = 1.0, .min = 0.0, .max = 1.0}),
                              graph::IntInput("width", {.value = 512, .min = 1, .max = 16384}),
                              graph::IntInput("height", {.value = 512, .min = 1, .max = 16384})},
                   .outputs = {{"MASK", "MASK"}}},
          .make = [] { return std::make_unique<SolidMaskNode>(); }};
}

}  // namespace framelock::nodes
