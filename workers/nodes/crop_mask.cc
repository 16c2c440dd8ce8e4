// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>
#include <utility>

#include "workers/nodes/channels.h"
#include "workers/nodes/node_list.h"

namespace framelock::nodes {

namespace {

enum Input : std::size_t { kMask, kX, kY, kWidth, kHeight };

// The part of a line of `size` pixels from `start` on; nothing beyond the end.
struct Cut {
  Cut(std::int64_t size, std::int64_t start, std::int64_t wanted)
      : begin(static_cast<std::uint32_t>(std::min(start, size))),
        count(static_cast<std::uint32_t>(std::min(wanted, size - begin))) {}
  std::uint32_t begin;
  std::uint32_t count;
};

// May leave an empty mask.
class CropMaskNode final : public graph::Node {
 public:
  Status Run(graph::NodeCall& call) override {
    const graph::Tensor& mask = call.Image(kMask);
    const graph::TensorShape& from = mask.shape();
    if (mask.size() == 0) {
      return EmptyMask(from);
    }
    for (const Input input : {kX, kY, kWidth, kHeight}) {
      if (call.Int(input) < 0) {
        return Error{ErrorCode::kInvalidArgument,
                     "cannot crop " + from.ToString() + " at a negative position or size"};
      }
    }
    const Cut columns(from.width, call.Int(kX), call.Int(kWidth));
    const Cut rows(from.height, call.Int(kY), call.Int(kHeight));
    Result<graph::Tensor> output = call.pool().Allocate(
        {from.batch, rows.count, columns.count, 1, graph::TensorLayout::kMask});
    if (!output.ok()) {
      return output.error();
    }
    float* out = output->mutable_data();
    for (std::size_t b = 0; b < from.batch; ++b) {
      const float* start = mask.data() + b * from.plane() + rows.begin * from.row() + columns.begin;
      for (std::size_t y = 0; y < rows.count; ++y, out += columns.count) {
        std::copy_n(start + y * from.row(), columns.count, out);
      }
    }
    call.SetOutput(0, std::move(*output));
    return {};
  }
};

}  // namespace

graph::NodeClass CropMask() {
  return {.spec = {.class_type = "CropMask",
                   .category = "mask",
                   .python_module = ".",
                   .style = graph::SchemaStyle::kSchema,
                   .inputs = {graph::MaskInput("mask"),
                              graph::IntInput("x", {.value = 0, .min = 0, .max = 16384}),
                              graph::IntInput("y", {.value = 0, .min = 0, .max = 16384}),
                              graph::IntInput("width", {.value = 512, .min = 1, .max = 16384}),
                              graph::IntInput("height", {.value = 512, .min = 1, .max = 16384})},
                   .outputs = {{"MASK", "MASK"}}},
          .make = [] { return std::make_unique<CropMaskNode>(); }};
}

}  // namespace framelock::nodes
