// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "pipeline/core/result.h"
#include "workers/graph/node.h"
#include "workers/nodes/vector_clones.h"

namespace framelock::nodes {

// out[i] = function(in[i], i)
template <typename Function>
FRAMELOCK_VECTOR_CLONES void Map(const float* in, std::size_t count, float* out,
                                 Function function) {
  for (std::size_t i = 0; i < count; ++i) {
    out[i] = function(in[i], i);
  }
}

// One pointer, so that the compiler sees that nothing else is written.
template <typename Function>
FRAMELOCK_VECTOR_CLONES void MapInPlace(std::size_t count, float* values, Function function) {
  for (std::size_t i = 0; i < count; ++i) {
    values[i] = function(values[i], i);
  }
}

/// Gives function(value, position) for every float of the first input as the first output; in place
/// where nobody else sees the input. Each part of the work has a function of its own,
/// make(its number).
template <typename Make>
Status MapFirstInputByThread(graph::NodeCall& call, const Make& make) {
  graph::Tensor image = call.TakeTensor(0);
  Result<graph::Tensor> output = call.OutputLike(image);
  if (!output.ok()) {
    return output.error();
  }
  const float* in = image.data();
  float* out = output->mutable_data();
  call.threads().Share(
      image.size(),
      [&](const graph::RowThreads::Part& part) {
        const std::size_t first = part.begin;
        const std::size_t count = part.end - first;
        const auto function = make(part.number);
        const auto at = [=](float value, std::size_t i) { return function(value, first + i); };
        if (out == in) {
          MapInPlace(count, out + first, at);
        } else {
          Map(in + first, count, out + first, at);
        }
      },
      graph::RowThreads::kLeastValues);
  call.SetOutput(0, std::move(*output));
  return {};
}

/// The same with one for all, which keeps nothing.
template <typename Function>
Status MapFirstInputByPosition(graph::NodeCall& call, Function function) {
  return MapFirstInputByThread(call, [=](std::size_t) { return function; });
}

/// And where the position does not matter.
template <typename Function>
Status MapFirstInput(graph::NodeCall& call, Function function) {
  return MapFirstInputByPosition(call, [=](float value, std::size_t) { return function(value); });
}

// 0 and 1. Of bounds that it knows the compiler makes masks, of unknown ones a maximum and a
// minimum, which are three times as fast.
extern const float kDarkest;
extern const float kBrightest;

/// As torch clamps: not a number stays.
inline float Clamp01(float value) {
  const float low = value < kDarkest ? kDarkest : value;
  return low > kBrightest ? kBrightest : low;
}

/// As torch and Python round; vectorises on every machine, unlike nearbyint. Adding and subtracting
/// 1.5 * 2^23 leaves no room for a fraction; from 2^22 on there is hardly one.
inline float RoundHalfToEven(float value) {
  constexpr float kShift = 12582912.0F;
  const float rounded = (value + kShift) - kShift;
  return value > -0x1p22F && value < 0x1p22F ? rounded : value;
}

/// As pictures go to Pillow: times 255, clipped and cut to a byte.
inline std::uint8_t CutToByte(float value) {
  const float scaled = value * 255.0F;
  const float low = scaled > 0.0F ? scaled : 0.0F;
  return static_cast<std::uint8_t>(static_cast<std::int32_t>(low < 255.0F ? low : 255.0F));
}

/// And back.
inline float ByteToFloat(std::uint8_t byte) { return static_cast<float>(byte) / 255.0F; }

}  // namespace framelock::nodes
