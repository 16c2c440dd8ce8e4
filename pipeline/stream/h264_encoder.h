// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gst/gst.h>

#include <chrono>
#include <string>

#include "pipeline/core/result.h"
#include "pipeline/stream/codec_element.h"

namespace framelock::stream {

struct H264EncoderOptions {
  std::string name = "x264";  // x264 | openh264: in software
  Hardware hardware = Hardware::kNever;
  std::chrono::seconds gop{2};
  int bitrate_kbps = 2000;
  int pixels = 512 * 512;  // expected size, for the number of threads
};

/// From raw pictures of even sizes to H.264 as a live stream needs it: one picture in, one access
/// unit out at once (no B-frames, no look-ahead), keyframes when asked for, with SPS and PPS, the
/// same rate all along. A bin with the elements "encoder" and "parser"; the parser's source pad
/// gives out whole access units. Floating.
Result<GstElement*> MakeH264Encoder(const H264EncoderOptions& options);

}  // namespace framelock::stream
