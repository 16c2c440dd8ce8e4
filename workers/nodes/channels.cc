// SPDX-License-Identifier: Apache-2.0
#include "workers/nodes/channels.h"

#include <algorithm>
#include <string>

namespace framelock::nodes {

Error SizeMismatch(std::uint32_t a, std::uint32_t b, int dimension) {
  return {ErrorCode::kInvalidArgument,
          "The size of tensor a (" + std::to_string(a) + ") must match the size of tensor b (" +
              std::to_string(b) + ") at non-singleton dimension " + std::to_string(dimension)};
}

Error EmptyMask(const graph::TensorShape& mask) {
  return {ErrorCode::kInvalidArgument,
          "cannot reshape tensor of 0 elements: the mask is empty, " + mask.ToString()};
}

void SpreadOverChannels(std::span<const float> values, std::size_t channels, float* out) {
  if (channels == 3) {  // known steps vectorise
    for (std::size_t i = 0; i < values.size(); ++i) {
      out[3 * i] = out[3 * i + 1] = out[3 * i + 2] = values[i];
    }
    return;
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    for (std::size_t c = 0; c < channels; ++c) {
      out[i * channels + c] = values[i];
    }
  }
}

Status TakesThreeChannels(const graph::TensorShape& shape) {
  if (shape.channels == 3) {
    return {};
  }
  return Error{ErrorCode::kInvalidArgument,
               "takes red, green and blue, not " + std::to_string(shape.channels) + " channels"};
}

Result<graph::Tensor> WithChannels(const graph::Tensor& image, std::uint32_t channels,
                                   graph::TensorPool& pool) {
  graph::TensorShape shape = image.shape();
  const std::size_t from = shape.channels;
  if (from == channels) {
    return image;
  }
  const std::size_t kept = std::min<std::size_t>(from, channels);
  shape.channels = channels;
  Result<graph::Tensor> output = pool.Allocate(shape);
  if (!output.ok()) {
    return output;
  }
  const float* in = image.data();
  float* out = output->mutable_data();
  const std::size_t pixels = channels == 0 ? 0 : output->size() / channels;
  for (std::size_t pixel = 0; pixel < pixels; ++pixel, in += from, out += channels) {
    for (std::size_t c = 0; c < channels; ++c) {
      out[c] = c < kept ? in[c] : 1.0F;
    }
  }
  return output;
}

}  // namespace framelock::nodes
