// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "pipeline/core/result.h"
#include "workers/graph/tensor.h"

namespace framelock::nodes {

/// torch's text for sizes that do not broadcast.
Error SizeMismatch(std::uint32_t a, std::uint32_t b, int dimension);

/// torch's complaint about a mask without pixels.
Error EmptyMask(const graph::TensorShape& mask);

/// kInvalidArgument for a picture that is not red, green and blue alone.
Status TakesThreeChannels(const graph::TensorShape& shape);

/// One value per pixel to each of its channels: out[i * channels + c] = values[i].
void SpreadOverChannels(std::span<const float> values, std::size_t channels, float* out);

/// The first `channels` of each pixel, or all of them and 1 (alpha) for each that is missing.
Result<graph::Tensor> WithChannels(const graph::Tensor& image, std::uint32_t channels,
                                   graph::TensorPool& pool);

}  // namespace framelock::nodes
