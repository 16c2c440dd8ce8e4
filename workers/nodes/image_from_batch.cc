// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>
#include <utility>

#include "workers/nodes/node_list.h"

namespace framelock::nodes {

namespace {

enum Input : std::size_t { kImage, kIndex, kLength };

// Some pictures of the batch; starts at the last one at the latest, and ends with it.
class ImageFromBatchNode final : public graph::Node {
 public:
  Status Run(graph::NodeCall& call) override {
    const graph::Tensor& image = call.Image(kImage);
    graph::TensorShape shape = image.shape();
    const std::int64_t first = std::min(call.Int(kIndex), std::int64_t{shape.batch} - 1);
    if (first < 0 || call.Int(kLength) < 0) {
      return Error{ErrorCode::kInvalidArgument, "cannot take " + std::to_string(call.Int(kLength)) +
                                                    " images from " + std::to_string(first) +
                                                    " on of " + shape.ToString()};
    }
    shape.batch = static_cast<std::uint32_t>(std::min(shape.batch - first, call.Int(kLength)));
    if (shape == image.shape()) {
      call.SetOutput(0, call.TakeTensor(kImage));
      return {};
    }
    Result<graph::Tensor> output = call.pool().Allocate(shape);
    if (!output.ok()) {
      return output.error();
    }
    std::copy_n(image.data() + static_cast<std::size_t>(first) * shape.plane(), output->size(),
                output->mutable_data());
    call.SetOutput(0, std::move(*output));
    return {};
  }
};

}  // namespace

graph::NodeClass ImageFromBatch() {
  const graph::IntRange index{.value = 0, .min = 0, .max = 4095, .step = std::nullopt};
  const graph::IntRange length{.value = 1, .min = 1, .max = 4096, .step = std::nullopt};
  return {.spec = {.class_type = "ImageFromBatch",
                   .category = "image/batch",
                   .python_module = ".",
                   .style = graph::SchemaStyle::kSchema,
                   .inputs = {graph::ImageInput("image"), graph::IntInput("batch_index", index),
                              graph::IntInput("length", length)},
                   .outputs = {{"IMAGE", "IMAGE"}}},
          .make = [] { return std::make_unique<ImageFromBatchNode>(); }};
}

}  // namespace framelock::nodes
