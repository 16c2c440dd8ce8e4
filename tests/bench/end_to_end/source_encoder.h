// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "examples/picture_view.h"
#include "pipeline/core/result.h"

namespace framelock::bench {

/// What a source makes of its raw pictures: H.264 in MPEG-TS, published. One thread.
class SourceEncoder {
 public:
  struct Options {
    std::string url;  // http(s) channel, or file
    int width = 512;  // a multiple of 4
    int height = 512;
    int fps = 30;
    int gop_frames = 30;
    int bitrate_kbps = 2000;
  };

  virtual ~SourceEncoder() = default;
  /// A packed RGB picture to be shown at `time`. May block while the encoder is behind.
  virtual Status Push(const demo::PictureView& picture, std::chrono::nanoseconds time) = 0;

 protected:
  SourceEncoder() = default;
  SourceEncoder(const SourceEncoder&) = delete;
  SourceEncoder& operator=(const SourceEncoder&) = delete;
};

/// appsrc ! x264enc ! mpegtsmux ! sink. Its PES packets say how long they are.
Result<std::unique_ptr<SourceEncoder>> MakeGstEncoder(const SourceEncoder::Options& options);
/// An ffmpeg process with libx264. Its PES packets do not say how long they are. kNotFound: there
/// is no ffmpeg here.
Result<std::unique_ptr<SourceEncoder>> MakeFfmpegEncoder(const SourceEncoder::Options& options);

}  // namespace framelock::bench
