// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "pipeline/core/result.h"
#include "workers/graph/tensor.h"

namespace framelock::nodes {

/// ComfyUI's Gaussian of 2r+1 taps a side: exp(-x²/2σ²) with x evenly spaced on [-1, 1], so sigma
/// is relative to the radius; edges are reflected without repeating the edge pixel. The square
/// kernel is the product of two lines, so this filters columns, then rows. Keeps its taps and row
/// buffers between frames; rows may be asked for by several threads.
class GaussianFilter {
 public:
  /// Fails, as the original does, where a reflection would need more pixels than there are: the
  /// radius must be smaller than both sides.
  Status Prepare(std::int64_t radius, double sigma, const graph::TensorShape& shape,
                 std::size_t parts);

  /// One blurred row (shape.row() floats) of the prepared shape; `image` is one batch element.
  /// Valid until the next call for the same part, of which Prepare was told how many there are.
  const float* Row(const float* image, std::size_t y, std::size_t part);

 private:
  std::int64_t radius_ = -1;
  double sigma_ = 0;
  graph::TensorShape shape_;
  std::vector<float> taps_;
  struct Buffers {
    std::vector<const float*> columns;  // the rows that one output row is made of
    std::vector<float> padded;          // one row after the column pass, reflected at both ends
    std::vector<float> row;
  };
  std::vector<Buffers> buffers_;  // by part
};

}  // namespace framelock::nodes
