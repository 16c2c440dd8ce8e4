// SPDX-License-Identifier: Apache-2.0
#include "examples/contact_sheet.h"

#include <algorithm>
#include <cstring>

namespace framelock::demo {

namespace {

constexpr int kMargin = 6;

// Each pixel is the mean of those it covers; a sheet is smaller than its pictures.
void PaintScaled(const Picture& picture, Picture& sheet, int left, int top, int width, int height) {
  for (int y = 0; y < height; ++y) {
    const int y0 = y * picture.height / height;
    const int y1 = std::max((y + 1) * picture.height / height, y0 + 1);
    for (int x = 0; x < width; ++x) {
      const int x0 = x * picture.width / width;
      const int x1 = std::max((x + 1) * picture.width / width, x0 + 1);
      std::uint8_t* to = sheet.View().at(left + x, top + y);
      for (int c = 0; c < 3; ++c) {
        int sum = 0;
        for (int v = y0; v < y1; ++v) {
          for (int u = x0; u < x1; ++u) {
            sum += picture.rgb[(static_cast<std::size_t>(v) * picture.width + u) * 3 + c];
          }
        }
        to[c] = static_cast<std::uint8_t>(sum / ((y1 - y0) * (x1 - x0)));
      }
    }
  }
}

}  // namespace

void ContactSheet::Add(const FramePairs::Pair& pair) {
  if (seen_++ % stride_ != 0) return;
  pairs_.push_back(pair);
  if (pairs_.size() < 2 * columns_) return;
  stride_ *= 2;
  for (std::size_t i = 0; i < columns_; ++i) pairs_[i] = std::move(pairs_[2 * i]);
  pairs_.resize(columns_);
}

Picture ContactSheet::Compose(int cell_width) const {
  if (pairs_.empty()) return {};
  const std::size_t count = std::min(columns_, pairs_.size());
  const Picture& model = *pairs_.front().input;
  const int cell_height = std::max(cell_width * model.height / model.width, 1);
  Picture sheet{.width = static_cast<int>(count) * (cell_width + kMargin) + kMargin,
                .height = 2 * (cell_height + kMargin) + kMargin,
                .rgb = {}};
  sheet.rgb.assign(static_cast<std::size_t>(sheet.width) * sheet.height * 3, 255);
  for (std::size_t i = 0; i < count; ++i) {
    const FramePairs::Pair& pair = pairs_[i * pairs_.size() / count];
    const int left = kMargin + static_cast<int>(i) * (cell_width + kMargin);
    PaintScaled(*pair.input, sheet, left, kMargin, cell_width, cell_height);
    PaintScaled(*pair.output, sheet, left, 2 * kMargin + cell_height, cell_width, cell_height);
  }
  return sheet;
}

}  // namespace framelock::demo
