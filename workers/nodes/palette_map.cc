// SPDX-License-Identifier: Apache-2.0
#include "workers/nodes/palette_map.h"

#include <algorithm>
#include <limits>

namespace framelock::nodes {

void PaletteMap::SetPalette(std::span<const Rgb> palette) {
  constexpr std::size_t kCells = std::size_t{1} << 18;
  size_ = palette.size();
  for (std::size_t i = 0; i < size_; ++i) {
    colors_[i] = palette[i];
    for (std::size_t c = 0; c < 3; ++c) {
      channels_[c][i] = palette[i][c];
    }
  }
  cells_.assign(kCells, kUnknown);
}

// The entry is part of what is compared, so that the first of equals wins and the loop vectorises.
std::uint16_t PaletteMap::Nearest(std::int32_t red, std::int32_t green, std::int32_t blue) const {
  std::int32_t best = std::numeric_limits<std::int32_t>::max();
  for (std::size_t i = 0; i < size_; ++i) {
    const std::int32_t r = channels_[0][i] - red;
    const std::int32_t g = channels_[1][i] - green;
    const std::int32_t b = channels_[2][i] - blue;
    best = std::min(best, (r * r + g * g + b * b) << 8 | static_cast<std::int32_t>(i));
  }
  return static_cast<std::uint16_t>(best & 0xFF);
}

}  // namespace framelock::nodes
