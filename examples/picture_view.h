// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace framelock::demo {

/// Somebody else's 8-bit picture in memory: `channels` interleaved bytes a pixel (1: a luma plane,
/// 3: RGB, 4: RGBA). Borrows; valid while its owner keeps the pixels.
struct PictureView {
  std::uint8_t* pixels = nullptr;
  int width = 0;
  int height = 0;
  std::size_t stride = 0;  // bytes from one row to the next
  int channels = 3;

  [[nodiscard]] std::uint8_t* at(int x, int y) const {
    return pixels + static_cast<std::size_t>(y) * stride +
           static_cast<std::size_t>(x) * static_cast<std::size_t>(channels);
  }
};

}  // namespace framelock::demo
