// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "pipeline/core/result.h"
#include "workers/graph/tensor.h"

namespace framelock::nodes {

enum class Extreme : std::uint8_t { kMin, kMax };

/// A square around a pixel: so many pixels before it and after it, on both axes.
struct SquareWindow {
  std::uint32_t before = 0;
  std::uint32_t after = 0;
};

/// The smallest or the largest value near each pixel, channel by channel: flat grey erosion and
/// dilation. What lies outside the picture is ignored. The time per pixel grows at most with the
/// logarithm of the window. Keeps its row buffers, takes its larger ones from the pool; one thread.
class ExtremeFilter {
 public:
  /// All batch elements of `image`.
  Result<graph::Tensor> Square(const graph::Tensor& image, SquareWindow window, Extreme extreme,
                               graph::TensorPool& pool);

  /// The pixels at most `radius` steps away, where a step goes up, down, left or right. Masks only
  /// (one channel).
  Result<graph::Tensor> Diamond(const graph::Tensor& mask, std::uint32_t radius, Extreme extreme,
                                graph::TensorPool& pool);

 private:
  template <typename Pick>
  void SquareOf(const float* in, const graph::TensorShape& shape, float* scratch, float* out);
  template <typename Pick>
  void FilterRow(const float* in, float* out);

  // Pixels beside the centre; a window never needs more than the picture has.
  SquareWindow across_;
  SquareWindow down_;
  std::size_t row_ = 0;
  std::size_t channels_ = 0;
  std::vector<float> line_;  // one row with room for the window at both ends
  std::vector<float> wider_;
  std::vector<float> below_;  // the extremes of the rows below a block, so far
};

}  // namespace framelock::nodes
