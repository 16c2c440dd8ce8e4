// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "pipeline/core/result.h"
#include "workers/graph/tensor.h"

namespace framelock::nodes {

/// A rectangle of pixels.
struct Area {
  std::uint32_t x = 0;
  std::uint32_t y = 0;
  std::uint32_t width = 0;
  std::uint32_t height = 0;
};

/// Rows of floats, `stride` apart.
template <typename Float>
struct Rows {
  Float* start = nullptr;
  std::size_t stride = 0;
};

void CopyRows(const Rows<const float>& from, const Rows<float>& to, std::size_t floats,
              std::size_t rows);

/// The part of every batch element that lies in `area`, which must lie within the image.
Result<graph::Tensor> CutOut(const graph::Tensor& image, const Area& area, graph::TensorPool& pool);

/// What a picture is put on: its size, where the picture's corner comes to lie, and the value of
/// everything around it.
struct Canvas {
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  std::uint32_t x = 0;
  std::uint32_t y = 0;
  float ground = 0;
};

/// Every batch element on a canvas of its own; it must fit.
Result<graph::Tensor> PlaceOn(const Canvas& canvas, const graph::Tensor& image,
                              graph::TensorPool& pool);

}  // namespace framelock::nodes
