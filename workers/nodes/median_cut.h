// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "workers/nodes/color_counts.h"

namespace framelock::nodes {

/// Pillow's median cut: the box with the most pixels is split across its longest side, weighted by
/// what the eye sees, until there are as many boxes as colours; the palette is their averages.
/// Keeps its tables for the next picture; one thread.
class MedianCut {
 public:
  static constexpr std::size_t kMostColors = 256;

  /// At most `colors` (1 to kMostColors) colours for packed pixels of three bytes, of which there
  /// must be one. Valid until the next call.
  std::span<const Rgb> MakePalette(std::span<const std::uint8_t> pixels, std::size_t colors);

 private:
  using Entry = ColorCounts::Entry;
  // A box: the colours in it, and its parts once it is split.
  struct Box {
    std::span<Entry> colors;
    std::uint64_t pixels = 0;
    Rgb low{255, 255, 255};
    Rgb high{0, 0, 0};
    std::size_t left = 0;  // position in boxes_; 0 if it is whole
    std::size_t right = 0;

    [[nodiscard]] std::size_t LongestSide() const;
  };

  static Box MakeBox(std::span<Entry> colors);
  static std::uint8_t Threshold(const Box& box, std::size_t side);
  void Split(std::size_t box);
  void Push(std::size_t box);
  std::size_t Pop();
  void CollectAverages(std::size_t box);

  ColorCounts counts_;
  std::vector<Box> boxes_;         // the first one holds everything
  std::vector<std::size_t> heap_;  // of positions in boxes_, the most pixels first
  std::vector<Rgb> palette_;
};

}  // namespace framelock::nodes
