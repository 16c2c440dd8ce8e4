// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "workers/graph/row_threads.h"

namespace framelock::nodes {

/// Pillow's 8-bit Lanczos-3 with antialiasing: integer weights of 22 bits, columns first, its
/// result rounded to bytes, then rows; an axis that keeps its size is skipped. With four channels
/// the colours are premultiplied on the way. Keeps its tables for the next image of the same sizes;
/// called by one thread.
class LanczosResizer {
 public:
  struct Size {
    std::uint32_t width = 0;
    std::uint32_t height = 0;
    bool operator==(const Size&) const = default;
  };

  /// Sizes must not be 0.
  void Prepare(Size in, Size out, std::size_t channels);

  /// `stride` floats from row to row of the source; values are taken times 255, clipped and
  /// truncated to bytes, and come out as bytes / 255, rows packed.
  void Run(const float* in, std::size_t stride, float* out, graph::RowThreads& threads);

 private:
  struct Axis {
    std::vector<std::uint32_t> first;  // by output position
    std::vector<std::uint32_t> count;
    std::vector<std::int32_t> weights;  // `widest` per output position
    std::size_t widest = 0;
  };

  static Axis MakeAxis(std::uint32_t in, std::uint32_t out);
  using Part = graph::RowThreads::Part;
  void ToBytes(const float* in, std::size_t stride, const Part& part);
  template <std::size_t kChannels>
  void ResizeRow(const std::uint8_t* row, std::uint8_t* to) const;
  void ResizeColumns(const Part& part);
  void ResizeRows(const Part& part);

  Size in_;
  Size out_;
  std::size_t channels_ = 0;
  Axis columns_;
  Axis rows_;
  std::vector<std::uint8_t> bytes_;
  std::vector<std::uint8_t> next_;
  std::vector<std::vector<std::int32_t>> sums_;  // by part
};

}  // namespace framelock::nodes
