// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>
#include <utility>

#include "workers/nodes/channels.h"
#include "workers/nodes/node_list.h"
#include "workers/nodes/resample.h"

namespace framelock::nodes {

namespace {

enum Input : std::size_t { kImage1, kImage2 };

// Both pictures in one batch, the second at the size of the first.
class ImageBatchNode final : public graph::Node {
 public:
  Status Run(graph::NodeCall& call) override {
    const std::uint32_t channels =
        std::max(call.Image(kImage1).shape().channels, call.Image(kImage2).shape().channels);
    Result<graph::Tensor> first = WithChannels(call.Image(kImage1), channels, call.pool());
    if (!first.ok()) {
      return first.error();
    }
    Result<graph::Tensor> second = Second(call, first->shape());
    if (!second.ok()) {
      return second.error();
    }
    graph::TensorShape shape = first->shape();
    shape.batch += second->shape().batch;
    Result<graph::Tensor> output = call.pool().Allocate(shape);
    if (!output.ok()) {
      return output.error();
    }
    float* out = output->mutable_data();
    out = std::ranges::copy(first->values(), out).out;
    std::ranges::copy(second->values(), out);
    call.SetOutput(0, std::move(*output));
    return {};
  }

 private:
  Result<graph::Tensor> Second(graph::NodeCall& call, const graph::TensorShape& wanted) {
    Result<graph::Tensor> second = WithChannels(call.Image(kImage2), wanted.channels, call.pool());
    if (!second.ok() ||
        (second->shape().width == wanted.width && second->shape().height == wanted.height)) {
      return second;
    }
    return resampler_.Resample(*second,
                               {.method = ResampleMethod::kBilinear,
                                .width = wanted.width,
                                .height = wanted.height,
                                .crop = Crop::kCenter},
                               call.pool());
  }

  Resampler resampler_;
};

}  // namespace

graph::NodeClass ImageBatch() {
  return {.spec = {.class_type = "ImageBatch",
                   .display_name = "Batch Images",
                   .category = "image",
                   .python_module = "nodes",
                   .inputs = {graph::ImageInput("image1"), graph::ImageInput("image2")},
                   .outputs = {{"IMAGE", "IMAGE"}},
                   .deprecated = true},
          .make = [] { return std::make_unique<ImageBatchNode>(); }};
}

}  // namespace framelock::nodes
