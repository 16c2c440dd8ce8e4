// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>
#include <utility>

#include "workers/nodes/made_size.h"
#include "workers/nodes/node_list.h"

namespace framelock::nodes {

namespace {

enum Input : std::size_t { kImage, kAmount };

// The whole batch again and again: a b, a b.
class RepeatImageBatchNode final : public graph::Node {
 public:
  Status Run(graph::NodeCall& call) override {
    if (call.Int(kAmount) == 1) {
      call.SetOutput(0, call.TakeTensor(kImage));
      return {};
    }
    const graph::Tensor& image = call.Image(kImage);
    const graph::TensorShape& from = image.shape();
    // Checked one by one, so that their product cannot overflow.
    Result<graph::TensorShape> shape =
        MadeShape({call.Int(kAmount), from.height, from.width, from.channels}, from.layout);
    if (shape.ok()) {
      shape = MadeShape(
          {std::int64_t{shape->batch} * from.batch, from.height, from.width, from.channels},
          from.layout);
    }
    if (!shape.ok()) {
      return shape.error();
    }
    Result<graph::Tensor> output = call.pool().Allocate(*shape);
    if (!output.ok()) {
      return output.error();
    }
    float* out = output->mutable_data();
    for (std::int64_t i = 0; i < call.Int(kAmount); ++i) {
      out = std::ranges::copy(image.values(), out).out;
    }
    call.SetOutput(0, std::move(*output));
    return {};
  }
};

}  // namespace

graph::NodeClass RepeatImageBatch() {
  const graph::IntRange amount{.value = 1, .min = 1, .max = 4096, .step = std::nullopt};
  return {.spec = {.class_type = "RepeatImageBatch",
                   .category = "image/batch",
                   .python_module = ".",
                   .style = graph::SchemaStyle::kSchema,
                   .inputs = {graph::ImageInput("image"), graph::IntInput("amount", amount)},
                   .outputs = {{"IMAGE", "IMAGE"}}},
          .make = [] { return std::make_unique<RepeatImageBatchNode>(); }};
}

}  // namespace framelock::nodes
