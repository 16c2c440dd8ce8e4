// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace framelock::nodes {

/// A colour of three bytes.
using Rgb = std::array<std::uint8_t, 3>;

/// Counts the distinct colours of a picture. From 65537 on colours are merged that differ in their
/// lowest bit only, and so on, as Pillow merges them. Keeps its tables for the next picture; one
/// thread.
class ColorCounts {
 public:
  static constexpr std::size_t kMostColors = 65536;

  struct Entry {
    Rgb color;  // the lowest of those merged
    std::uint32_t pixels = 0;
    std::array<std::uint64_t, 3> sums{};  // of the pixels' true colours
  };

  /// Packed pixels of three bytes. In no particular order; valid until the next call.
  std::span<Entry> Count(std::span<const std::uint8_t> pixels);

 private:
  Entry& Find(const Rgb& color);
  void Coarsen();

  int dropped_bits_ = 0;
  std::vector<Entry> entries_;
  std::vector<Entry> finer_;          // what was there before a bit was dropped
  std::vector<std::uint32_t> slots_;  // hash table: position in entries_ plus 1, or 0
};

}  // namespace framelock::nodes
