// SPDX-License-Identifier: Apache-2.0
#include "workers/nodes/dither.h"

#include <algorithm>

namespace framelock::nodes {

void ApplyPalette(PaletteMap& map, const BytePicture& picture) {
  for (std::size_t i = 0; i + 2 < picture.bytes.size(); i += 3) {
    std::uint8_t* pixel = &picture.bytes[i];
    std::ranges::copy(map.color(map.Find(pixel[0], pixel[1], pixel[2])), pixel);
  }
}

void FloydSteinberg::Apply(PaletteMap& map, const BytePicture& picture) {
  errors_.assign(picture.width + 1, Errors{});
  for (std::size_t y = 0; y < picture.height; ++y) {
    ApplyToRow(map, picture.bytes.subspan(y * picture.width * 3, picture.width * 3));
  }
}

// 7/16 of a pixel's error go to the right, 3, 5 and 1 to the row below.
void FloydSteinberg::ApplyToRow(PaletteMap& map, std::span<std::uint8_t> row) {
  Errors right{};  // what the next pixel gets
  Errors here{};   // what the column has so far: 5 of the pixel before, 1 of the one before that
  Errors next{};   // what the next column has so far
  const std::size_t width = row.size() / 3;
  for (std::size_t x = 0; x < width; ++x) {
    std::uint8_t* pixel = &row[3 * x];
    for (std::size_t c = 0; c < 3; ++c) {
      const int value = pixel[c] + (right[c] + errors_[x + 1][c]) / 16;
      pixel[c] = static_cast<std::uint8_t>(std::clamp(value, 0, 255));
    }
    const Rgb& color = map.color(map.Find(pixel[0], pixel[1], pixel[2]));
    for (std::size_t c = 0; c < 3; ++c) {
      const int error = pixel[c] - color[c];
      errors_[x][c] = 3 * error + here[c];
      here[c] = 5 * error + next[c];
      next[c] = error;
      right[c] = 7 * error;
      pixel[c] = color[c];
    }
  }
  // Pillow ends every row with blue's numbers for all three channels.
  errors_[width] = {here[2], next[2], next[2]};
}

void BayerPattern::Prepare(std::size_t order, std::size_t colors) {
  if (order == order_ && colors == colors_) {
    return;
  }
  order_ = order;
  colors_ = colors;
  matrix_.assign(order * order, 0.0F);
  // Each step puts the matrix of half the side, shifted four ways, beside and below itself.
  float scale = 4;
  for (std::size_t half = 1; half < order; half *= 2, scale *= 4) {
    for (std::size_t y = 0; y < half; ++y) {
      for (std::size_t x = 0; x < half; ++x) {
        const float from = scale * matrix_[y * order + x];
        matrix_[y * order + x] = (from - 1.5F) / scale;
        matrix_[y * order + x + half] = (from + 0.5F) / scale;
        matrix_[(y + half) * order + x] = (from + 1.5F) / scale;
        matrix_[(y + half) * order + x + half] = (from - 0.5F) / scale;
      }
    }
  }
  const auto spread = static_cast<float>(512.0 / static_cast<double>(colors));
  for (float& value : matrix_) {
    value = spread * value + 0.5F;
  }
}

void BayerPattern::AddTo(const BytePicture& picture) const {
  std::uint8_t* pixel = picture.bytes.data();
  for (std::size_t y = 0; y < picture.height; ++y) {
    const float* row = &matrix_[y % order_ * order_];
    for (std::size_t x = 0; x < picture.width; ++x, pixel += 3) {
      for (std::size_t c = 0; c < 3; ++c) {
        const float sum = static_cast<float>(pixel[c]) + row[x % order_];
        pixel[c] = static_cast<std::uint8_t>(std::clamp(sum, 0.0F, 255.0F));
      }
    }
  }
}

}  // namespace framelock::nodes
