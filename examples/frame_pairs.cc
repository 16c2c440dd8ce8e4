// SPDX-License-Identifier: Apache-2.0
#include "examples/frame_pairs.h"

#include <cstdlib>
#include <cstring>
#include <utility>

namespace framelock::demo {

namespace {

using Waiting = std::map<std::uint32_t, FramePairs::Shared>;

FramePairs::Shared Take(Waiting& waiting, std::uint32_t number) {
  auto node = waiting.extract(number);
  return node.empty() ? nullptr : std::move(node.mapped());
}

void Keep(Waiting& waiting, std::uint32_t number, FramePairs::Shared picture, std::size_t most) {
  waiting.insert_or_assign(number, std::move(picture));
  while (waiting.size() > most) waiting.erase(waiting.begin());
}

}  // namespace

Picture Picture::Copy(const PictureView& view) {
  Picture copy{.width = view.width, .height = view.height, .rgb = {}};
  const auto row_bytes = static_cast<std::size_t>(view.width) * 3;
  copy.rgb.resize(row_bytes * static_cast<std::size_t>(view.height));
  for (int y = 0; y < view.height; ++y) {
    std::uint8_t* to = copy.rgb.data() + row_bytes * static_cast<std::size_t>(y);
    if (view.channels == 3) {
      std::memcpy(to, view.at(0, y), row_bytes);
    } else {
      for (int x = 0; x < view.width; ++x) std::memcpy(to + x * 3, view.at(x, y), 3);
    }
  }
  return copy;
}

PictureView Picture::View() {
  return {.pixels = rgb.data(),
          .width = width,
          .height = height,
          .stride = static_cast<std::size_t>(width) * 3,
          .channels = 3};
}

std::optional<double> ErrorOfInverse(const Picture& input, const Picture& output) {
  if (input.width != output.width || input.height != output.height || input.rgb.empty()) {
    return std::nullopt;
  }
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < input.rgb.size(); ++i) {
    sum += static_cast<std::uint64_t>(std::abs(output.rgb[i] + input.rgb[i] - 255));
  }
  return static_cast<double>(sum) / static_cast<double>(input.rgb.size());
}

std::optional<FramePairs::Pair> FramePairs::AddInput(std::uint32_t number, Shared picture) {
  Shared output = Take(outputs_, number);
  if (output) return Pair{number, std::move(picture), std::move(output)};
  Keep(inputs_, number, std::move(picture), capacity_);
  return std::nullopt;
}

std::optional<FramePairs::Pair> FramePairs::AddOutput(std::uint32_t number, Shared picture) {
  const auto input = inputs_.find(number);
  // The input stays: the output may repeat it.
  if (input != inputs_.end()) return Pair{number, input->second, std::move(picture)};
  Keep(outputs_, number, std::move(picture), capacity_);
  return std::nullopt;
}

}  // namespace framelock::demo
