// SPDX-License-Identifier: Apache-2.0
#include "workers/nodes/color_counts.h"

#include <algorithm>

namespace framelock::nodes {

namespace {

// Twice as many slots as colours, so that chains stay short.
constexpr std::size_t kSlots = 2 * ColorCounts::kMostColors;

std::size_t SlotOf(const Rgb& color) {
  const std::uint32_t packed = std::uint32_t{color[0]} << 16 | color[1] << 8 | color[2];
  return packed * 2654435769U >> 15;  // the golden ratio spreads neighbours; 17 bits
}

void AddPixels(ColorCounts::Entry& to, const ColorCounts::Entry& from) {
  to.pixels += from.pixels;
  for (std::size_t c = 0; c < 3; ++c) {
    to.sums[c] += from.sums[c];
  }
}

}  // namespace

std::span<ColorCounts::Entry> ColorCounts::Count(std::span<const std::uint8_t> pixels) {
  entries_.reserve(kMostColors + 1);
  finer_.reserve(kMostColors + 1);
  dropped_bits_ = 0;
  entries_.clear();
  slots_.assign(kSlots, 0);
  for (std::size_t i = 0; i + 2 < pixels.size(); i += 3) {
    const Rgb color{pixels[i], pixels[i + 1], pixels[i + 2]};
    AddPixels(Find(color), {color, 1, {color[0], color[1], color[2]}});
    while (entries_.size() > kMostColors) {
      Coarsen();
    }
  }
  return entries_;
}

// The entry of a colour; a new one if there is none.
ColorCounts::Entry& ColorCounts::Find(const Rgb& color) {
  Rgb kept;
  for (std::size_t c = 0; c < 3; ++c) {
    kept[c] = static_cast<std::uint8_t>(color[c] >> dropped_bits_ << dropped_bits_);
  }
  std::size_t slot = SlotOf(kept);
  while (slots_[slot] != 0) {
    Entry& entry = entries_[slots_[slot] - 1];
    if (entry.color == kept) {
      return entry;
    }
    slot = (slot + 1) % kSlots;
  }
  entries_.push_back({.color = kept});
  slots_[slot] = static_cast<std::uint32_t>(entries_.size());
  return entries_.back();
}

// Drops one more bit of every colour.
void ColorCounts::Coarsen() {
  ++dropped_bits_;
  entries_.swap(finer_);
  entries_.clear();
  slots_.assign(kSlots, 0);
  for (const Entry& entry : finer_) {
    AddPixels(Find(entry.color), entry);
  }
}

}  // namespace framelock::nodes
