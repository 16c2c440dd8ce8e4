// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gst/gst.h>

#include <chrono>
#include <cstdint>

#include "pipeline/stream/pts_fill.h"
#include "pipeline/stream/pts_unwrap.h"

namespace framelock::stream {

/// Sees to it that a picture has its own time or none: the times of the access units of one stream,
/// from the demuxer to the decoder. On the streaming thread of both.
class UnitTimes {
 public:
  enum class Time : std::uint8_t { kOwn, kInferred, kNone };

  /// Puts the demuxer's times on one line.
  void Unwrap(GstBuffer* unit);
  /// Access units in decoding order, as they go into the decoder. One without a pts gets the one
  /// that it must have, or else a mark, since the decoder would guess.
  Time Infer(GstBuffer* unit);
  /// The demuxer starts the next programme at the time of the last access unit: `interval` later.
  static void LeaveRoom(GstPadProbeInfo* info, std::chrono::nanoseconds interval);
  /// Marks an access unit whose picture is not to be shown.
  static void Hide(GstBuffer* unit);
  /// False for the picture of a marked access unit.
  static bool IsCertain(GstBuffer* picture);

 private:
  PtsUnwrap unwrap_;
  PtsFill fill_;
};

}  // namespace framelock::stream
