// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "workers/nodes/color_counts.h"

namespace framelock::nodes {

/// Finds palette entries as Pillow does: a colour is looked up by its upper 6 bits a channel, and
/// gets the entry that is nearest to the darkest colour with these bits, the first of several.
/// Looks for each cell once; one thread.
class PaletteMap {
 public:
  /// 1 to 256 colours.
  void SetPalette(std::span<const Rgb> palette);

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] const Rgb& color(std::size_t entry) const { return colors_[entry]; }
  std::uint8_t Find(std::uint8_t red, std::uint8_t green, std::uint8_t blue) {
    const std::size_t cell = std::size_t{red} >> 2 << 12 | green >> 2 << 6 | blue >> 2;
    if (cells_[cell] == kUnknown) {
      cells_[cell] = Nearest(red & 0xFC, green & 0xFC, blue & 0xFC);
    }
    return static_cast<std::uint8_t>(cells_[cell]);
  }

 private:
  static constexpr std::uint16_t kUnknown = 0xFFFF;
  [[nodiscard]] std::uint16_t Nearest(std::int32_t red, std::int32_t green,
                                      std::int32_t blue) const;

  std::size_t size_ = 0;
  std::array<Rgb, 256> colors_{};
  std::array<std::array<std::int32_t, 256>, 3> channels_{};  // the same by channel
  std::vector<std::uint16_t> cells_;
};

}  // namespace framelock::nodes
