// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "examples/frame_stamp.h"

namespace framelock::stream {

using Bytes = std::vector<std::uint8_t>;

/// Stamped test pictures in MPEG-TS: frame k has pts (first_number + k) / fps.
struct SampleVideo {
  int width = 320;
  int height = 240;
  int fps = 30;
  int frames = 60;
  std::uint32_t first_number = 0;
  std::string encoder =
      "x264enc tune=zerolatency speed-preset=superfast threads=1 key-int-max=30 ! "
      "h264parse config-interval=-1";
  int pid = 65;
  std::string beside;  // a further branch into "mux."
  bool stamped_middle = false;
};
Bytes MakeSample(const SampleVideo& video);

/// A stream's pictures, as a reader decodes them.
struct SeenFrame {
  std::int64_t pts_ticks;
  std::optional<demo::ReadStamp> read;
  int width, height;
};
/// `stamped`: of a video with stamped_middle.
std::vector<SeenFrame> Decode(const Bytes& transport_stream, const SampleVideo& stamped = {});

}  // namespace framelock::stream
