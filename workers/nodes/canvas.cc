// SPDX-License-Identifier: Apache-2.0
#include "workers/nodes/canvas.h"

#include <algorithm>

namespace framelock::nodes {

void CopyRows(const Rows<const float>& from, const Rows<float>& to, std::size_t floats,
              std::size_t rows) {
  for (std::size_t y = 0; y < rows; ++y) {
    std::copy_n(from.start + y * from.stride, floats, to.start + y * to.stride);
  }
}

Result<graph::Tensor> CutOut(const graph::Tensor& image, const Area& area,
                             graph::TensorPool& pool) {
  const graph::TensorShape& from = image.shape();
  graph::TensorShape shape = from;
  shape.width = area.width;
  shape.height = area.height;
  Result<graph::Tensor> output = pool.Allocate(shape);
  if (!output.ok()) {
    return output;
  }
  for (std::size_t b = 0; b < shape.batch; ++b) {
    const float* corner =
        image.data() + b * from.plane() + area.y * from.row() + std::size_t{area.x} * from.channels;
    CopyRows({corner, from.row()}, {output->mutable_data() + b * shape.plane(), shape.row()},
             shape.row(), shape.height);
  }
  return output;
}

Result<graph::Tensor> PlaceOn(const Canvas& canvas, const graph::Tensor& image,
                              graph::TensorPool& pool) {
  const graph::TensorShape& from = image.shape();
  graph::TensorShape shape = from;
  shape.width = canvas.width;
  shape.height = canvas.height;
  Result<graph::Tensor> output = pool.Allocate(shape);
  if (!output.ok()) {
    return output;
  }
  const std::size_t left = std::size_t{canvas.x} * from.channels;
  const std::size_t right = shape.row() - left - from.row();
  const std::size_t below = shape.height - canvas.y - from.height;
  const float* in = image.data();
  float* out = output->mutable_data();
  for (std::uint32_t b = 0; b < shape.batch; ++b) {
    out = std::fill_n(out, canvas.y * shape.row(), canvas.ground);
    for (std::uint32_t y = 0; y < from.height; ++y, in += from.row()) {
      out = std::fill_n(out, left, canvas.ground);
      out = std::copy_n(in, from.row(), out);
      out = std::fill_n(out, right, canvas.ground);
    }
    out = std::fill_n(out, below * shape.row(), canvas.ground);
  }
  return output;
}

}  // namespace framelock::nodes
