// SPDX-License-Identifier: Apache-2.0
#include "workers/nodes/median_cut.h"

#include <algorithm>
#include <array>

namespace framelock::nodes {

std::size_t MedianCut::Box::LongestSide() const {
  constexpr std::array<int, 3> kWeights{77, 150, 29};
  std::size_t longest = 0;
  int most = -1;
  for (std::size_t c = 0; c < 3; ++c) {
    const int length = kWeights[c] * (high[c] - low[c]);
    if (length > most) {
      longest = c;
      most = length;
    }
  }
  return longest;
}

std::span<const Rgb> MedianCut::MakePalette(std::span<const std::uint8_t> pixels,
                                            std::size_t colors) {
  boxes_.clear();
  boxes_.reserve(2 * kMostColors);
  heap_.clear();
  heap_.reserve(kMostColors);
  boxes_.push_back(MakeBox(counts_.Count(pixels)));
  Push(0);
  for (std::size_t count = 1; count < colors; ++count) {
    // A box of one colour is never looked at again.
    while (!heap_.empty() && boxes_[heap_.front()].low == boxes_[heap_.front()].high) {
      Pop();
    }
    if (heap_.empty()) {
      break;
    }
    Split(Pop());
  }
  palette_.clear();
  palette_.reserve(kMostColors);
  CollectAverages(0);
  return palette_;
}

MedianCut::Box MedianCut::MakeBox(std::span<Entry> colors) {
  Box box{.colors = colors};
  for (const Entry& entry : colors) {
    box.pixels += entry.pixels;
    for (std::size_t c = 0; c < 3; ++c) {
      box.low[c] = std::min(box.low[c], entry.color[c]);
      box.high[c] = std::max(box.high[c], entry.color[c]);
    }
  }
  return box;
}

// The least value that goes left: the first, from above, with more than half of the pixels at or
// above it, but never all of them.
std::uint8_t MedianCut::Threshold(const Box& box, std::size_t side) {
  std::array<std::uint64_t, 256> pixels{};
  for (const Entry& entry : box.colors) {
    pixels[entry.color[side]] += entry.pixels;
  }
  std::size_t value = box.high[side];
  std::uint64_t seen = pixels[value];
  while (2 * seen <= box.pixels) {
    seen += pixels[--value];
  }
  if (value == box.low[side]) {
    do {
      ++value;
    } while (pixels[value] == 0);
  }
  return static_cast<std::uint8_t>(value);
}

void MedianCut::Split(std::size_t box) {
  const std::span<Entry> colors = boxes_[box].colors;
  const std::size_t side = boxes_[box].LongestSide();
  const std::uint8_t threshold = Threshold(boxes_[box], side);
  const auto middle = std::partition(colors.begin(), colors.end(), [=](const Entry& entry) {
    return entry.color[side] >= threshold;
  });
  const auto lefts = static_cast<std::size_t>(middle - colors.begin());
  boxes_[box].left = boxes_.size();
  boxes_[box].right = boxes_.size() + 1;
  boxes_.push_back(MakeBox(colors.first(lefts)));
  boxes_.push_back(MakeBox(colors.subspan(lefts)));
  Push(boxes_[box].left);
  Push(boxes_[box].right);
}

// A heap that orders equals as Pillow's does: they stay below who came first, and the right one
// moves up only if it is greater than the left one.
void MedianCut::Push(std::size_t box) {
  std::size_t place = heap_.size();
  heap_.push_back(box);
  while (place > 0) {
    const std::size_t parent = (place - 1) / 2;
    if (boxes_[box].pixels <= boxes_[heap_[parent]].pixels) {
      break;
    }
    heap_[place] = heap_[parent];
    place = parent;
  }
  heap_[place] = box;
}

std::size_t MedianCut::Pop() {
  const std::size_t top = heap_.front();
  const std::size_t last = heap_.back();
  heap_.pop_back();
  std::size_t place = 0;
  for (std::size_t child = 1; child < heap_.size(); child = 2 * place + 1) {
    if (child + 1 < heap_.size() && boxes_[heap_[child]].pixels < boxes_[heap_[child + 1]].pixels) {
      ++child;
    }
    if (boxes_[last].pixels > boxes_[heap_[child]].pixels) {
      break;
    }
    heap_[place] = heap_[child];
    place = child;
  }
  if (!heap_.empty()) {
    heap_[place] = last;
  }
  return top;
}

// Of the boxes that are whole, left ones first.
void MedianCut::CollectAverages(std::size_t index) {
  const Box& box = boxes_[index];
  if (box.left != 0) {
    CollectAverages(box.left);
    CollectAverages(box.right);
    return;
  }
  std::array<std::uint64_t, 3> sums{};
  for (const Entry& entry : box.colors) {
    for (std::size_t c = 0; c < 3; ++c) {
      sums[c] += entry.sums[c];
    }
  }
  Rgb average{};
  for (std::size_t c = 0; c < 3; ++c) {
    const double mean = static_cast<double>(sums[c]) / static_cast<double>(box.pixels);
    average[c] = static_cast<std::uint8_t>(mean + 0.5);
  }
  palette_.push_back(average);
}

}  // namespace framelock::nodes
