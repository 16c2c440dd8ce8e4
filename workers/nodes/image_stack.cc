// SPDX-License-Identifier: Apache-2.0
#include "workers/nodes/image_stack.h"

#include <algorithm>
#include <utility>

#include "workers/nodes/channels.h"

namespace framelock::nodes {

Result<graph::Tensor> ImageStack::Take(graph::NodeCall& call) {
  Result<graph::Tensor> batch = Join(call);
  pictures_.clear();
  return batch;
}

Result<graph::Tensor> ImageStack::Join(graph::NodeCall& call) {
  std::uint32_t channels = 0;
  for (const graph::Tensor& picture : pictures_) {
    channels = std::max(channels, picture.shape().channels);
  }
  if (resamplers_.size() < pictures_.size()) {
    resamplers_.resize(pictures_.size());
  }
  graph::TensorShape shape;
  for (std::size_t i = 0; i < pictures_.size(); ++i) {
    Result<graph::Tensor> wide = WithChannels(pictures_[i], channels, call.pool());
    if (!wide.ok()) {
      return wide;
    }
    pictures_[i] = std::move(*wide);
    Result<graph::Tensor> fitting = Fit(i, pictures_.front().shape(), call);
    if (!fitting.ok()) {
      return fitting;
    }
    pictures_[i] = std::move(*fitting);
    const std::uint32_t before = shape.batch;
    shape = pictures_.front().shape();
    shape.batch = before + pictures_[i].shape().batch;
  }
  Result<graph::Tensor> batch = call.pool().Allocate(shape);
  if (!batch.ok()) {
    return batch;
  }
  float* out = batch->mutable_data();
  for (const graph::Tensor& picture : pictures_) {
    out = std::ranges::copy(picture.values(), out).out;
  }
  return batch;
}

Result<graph::Tensor> ImageStack::Fit(std::size_t i, const graph::TensorShape& first,
                                      graph::NodeCall& call) {
  const graph::TensorShape& own = pictures_[i].shape();
  if (own.width == first.width && own.height == first.height) {
    return pictures_[i];
  }
  return resamplers_[i].Resample(pictures_[i],
                                 {.method = ResampleMethod::kBilinear,
                                  .width = first.width,
                                  .height = first.height,
                                  .crop = Crop::kCenter},
                                 call.pool(), call.threads());
}

Status StackNode::Run(graph::NodeCall& call) {
  for (std::size_t i = 0; i < call.input_count(); ++i) {
    if (call.Has(i)) {
      stack_.Add(call.Image(i));
    }
  }
  Result<graph::Tensor> output = stack_.Take(call);
  if (!output.ok()) {
    return output.error();
  }
  call.SetOutput(0, std::move(*output));
  return {};
}

}  // namespace framelock::nodes
