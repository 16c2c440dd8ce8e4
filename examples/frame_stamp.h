// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "examples/picture_view.h"

namespace framelock::demo {

/// What a demo source writes into the pixels of each frame, so that whoever sees the frame later
/// knows which one it is and how old it is.
struct FrameStamp {
  std::uint32_t number = 0;
  std::chrono::microseconds sent_at{0};  // wall clock since 1970; 56 bits are kept

  friend bool operator==(const FrameStamp&, const FrameStamp&) = default;
};

struct ReadStamp {
  FrameStamp stamp;
  bool inverted = false;    // black and white are exchanged
  double confidence = 0.0;  // 0: the worst cell is a coin toss; 1: every cell is pure
};

/// Draws the stamp into a band across the top of the picture: 4 rows of 32 black or white cells,
/// 3/32 of the height. It survives H.264, noise, scaling, inversion and a blur whose radius is
/// below the height of a cell (12 pixels at 512x512).
///
///   row 0  number, most significant bit first
///   row 1  sent_at, bits 55..24
///   row 2  sent_at, bits 23..0, then the first 8 cells of the polarity pattern
///   row 3  CRC-24 of number and sent_at, then the other 8 cells of the pattern
void DrawStamp(const PictureView& picture, const FrameStamp& stamp);

/// Reads it back; nullopt unless the pattern is there and the CRC agrees.
std::optional<ReadStamp> FindStamp(const PictureView& picture);

/// The middle of a picture, half as wide and half as high, for stamps that outlive cropping.
/// `shown` is what is left of a picture of width x height when it is scaled to cover another size
/// and cropped to it; its shape may have up to twice or half the other's proportion.
PictureView MiddleOf(const PictureView& shown, int width, int height);

/// Rows at the top of a picture of this height that belong to the stamp.
int StampHeight(int picture_height);

}  // namespace framelock::demo
