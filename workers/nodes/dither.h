// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "workers/nodes/palette_map.h"

namespace framelock::nodes {

/// Packed pixels of three bytes.
struct BytePicture {
  std::span<std::uint8_t> bytes;
  std::size_t width = 0;
  std::size_t height = 0;
};

/// Replaces each pixel by its colour of the palette.
void ApplyPalette(PaletteMap& map, const BytePicture& picture);

/// The same with Pillow's Floyd-Steinberg diffusion: in integers, every row from left to right.
/// Keeps a row of errors; one thread.
class FloydSteinberg {
 public:
  void Apply(PaletteMap& map, const BytePicture& picture);

 private:
  using Errors = std::array<int, 3>;
  void ApplyToRow(PaletteMap& map, std::span<std::uint8_t> row);

  std::vector<Errors> errors_;  // of the row above, by column and one more
};

/// Adds ComfyUI's ordered pattern before the palette is applied: a Bayer matrix, the weaker the
/// more colours there are. Keeps its matrix; one thread.
class BayerPattern {
 public:
  /// `order`: the matrix's side, a power of two.
  void Prepare(std::size_t order, std::size_t colors);
  void AddTo(const BytePicture& picture) const;

 private:
  std::size_t order_ = 0;
  std::size_t colors_ = 0;
  std::vector<float> matrix_;  // row by row, what is added
};

}  // namespace framelock::nodes
