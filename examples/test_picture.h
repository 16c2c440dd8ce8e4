// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>

#include "examples/picture_view.h"

namespace framelock::demo {

/// What the demo source shows: a slowly turning colour gradient, a bouncing disc, and a clock of
/// the stream's own time with the frame number below. A pure function of the frame.
struct TestPicture {
  std::uint32_t number = 0;
  std::chrono::milliseconds clock{0};
  int hue_degrees = 0;  // tells several sources apart
};

/// Fills an RGB or RGBA picture.
void DrawTestPicture(const PictureView& picture, const TestPicture& content);

}  // namespace framelock::demo
