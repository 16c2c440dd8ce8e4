// SPDX-License-Identifier: Apache-2.0
#include "workers/nodes/image_extremes.h"

#include <array>
#include <cstddef>
#include <limits>

namespace framelock::nodes {

namespace {

// Side by side in registers; comparisons with something that is not a number are false, so such
// values are looked for beside.
constexpr std::size_t kLanes = 32;

template <typename Beats>
Result<double> Find(const graph::Tensor& image, Beats beats) {
  if (image.size() == 0) {
    return Error{ErrorCode::kInvalidArgument,
                 "no value in an empty picture " + image.shape().ToString()};
  }
  const float* values = image.data();
  std::array<float, kLanes> best;
  best.fill(values[0]);
  std::array<std::uint32_t, kLanes> strange{};
  std::size_t i = 0;
  for (; i + kLanes <= image.size(); i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const float value = values[i + lane];
      best[lane] = beats(value, best[lane]) ? value : best[lane];
      strange[lane] |= value != value ? 1U : 0U;
    }
  }
  for (; i < image.size(); ++i) {
    best[0] = beats(values[i], best[0]) ? values[i] : best[0];
    strange[0] |= values[i] != values[i] ? 1U : 0U;
  }
  for (std::size_t lane = 1; lane < kLanes; ++lane) {
    best[0] = beats(best[lane], best[0]) ? best[lane] : best[0];
    strange[0] |= strange[lane];
  }
  return strange[0] != 0 ? std::numeric_limits<double>::quiet_NaN() : double{best[0]};
}

}  // namespace

Result<double> SmallestValue(const graph::Tensor& image) {
  return Find(image, [](float a, float b) { return a < b; });
}

Result<double> LargestValue(const graph::Tensor& image) {
  return Find(image, [](float a, float b) { return a > b; });
}

}  // namespace framelock::nodes
