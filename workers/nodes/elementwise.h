// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <utility>

#include "pipeline/core/result.h"
#include "workers/graph/node.h"

namespace framelock::nodes {

/// Runs `function` over every float of the first input and gives the result as the first output; in
/// place where nobody else sees the input.
template <typename Function>
Status MapFirstInput(graph::NodeCall& call, Function function) {
  graph::Tensor image = call.TakeTensor(0);
  Result<graph::Tensor> output = call.OutputLike(image);
  if (!output.ok()) {
    return output.error();
  }
  const std::size_t count = image.size();
  float* out = output->mutable_data();
  if (out == image.data()) {
    // One pointer, so that the compiler sees that nothing else is written.
    for (std::size_t i = 0; i < count; ++i) {
      out[i] = function(out[i]);
    }
  } else {
    const float* in = image.data();
    for (std::size_t i = 0; i < count; ++i) {
      out[i] = function(in[i]);
    }
  }
  call.SetOutput(0, std::move(*output));
  return {};
}

/// As torch clamps: not a number stays.
inline float Clamp01(float value) {
  const float low = value < 0.0F ? 0.0F : value;
  return low > 1.0F ? 1.0F : low;
}

/// As torch and Python round; vectorises on every machine, unlike nearbyint. Adding and subtracting
/// 1.5 * 2^23 leaves no room for a fraction; from 2^22 on there is hardly one.
inline float RoundHalfToEven(float value) {
  constexpr float kShift = 12582912.0F;
  const float rounded = (value + kShift) - kShift;
  return value > -0x1p22F && value < 0x1p22F ? rounded : value;
}

}  // namespace framelock::nodes
