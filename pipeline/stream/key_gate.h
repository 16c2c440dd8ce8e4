// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "pipeline/stream/h264_nal.h"

namespace framelock::stream {

/// Keeps a decoder from making pictures out of access units that are torn or whose references are
/// missing: after a hole nothing passes until a decoder may enter the stream again. Such pictures
/// would show one frame's pixels under another frame's time. A unit that does not tell the size
/// that it changes to counts as torn. Not thread-safe.
///
///   kClosed ──entry──► kOpen ──hole announced──► kHole ──unit after the hole──► kClosed
class KeyGate {
 public:
  using Pts = std::chrono::nanoseconds;
  enum class Before : std::uint8_t { kWhole, kHole };
  enum class Verdict : std::uint8_t {
    kPass,
    kHide,  // to be decoded, for others refer to it; its picture is not right yet
    kDrop,
  };

  /// Bytes are missing in front of what follows. What lies between here and the gate comes from
  /// before the hole and may be torn: at most kUnitsBetween access units.
  void AnnounceHole() { between_ = kUnitsBetween; }
  /// Access units in decoding order.
  Verdict Pass(const H264Entry& entry, std::optional<Pts> pts, Before before);

 private:
  // One in the demuxer, one in the parser.
  static constexpr int kUnitsBetween = 2;
  // Intra pictures in a stream without recovery points: this one is an entry, for want of better.
  static constexpr int kIntraEntry = 3;

  bool Enter(const H264Entry& entry, std::optional<Pts> pts);

  bool open_ = false;  // a channel may be joined in the middle
  bool fresh_ = true;  // so is the decoder, which then knows itself what it can decode
  int between_ = 0;
  int intra_ = 0;                 // pictures since the gate closed
  std::uint32_t hidden_ = 0;      // units to come until the recovery point
  std::optional<Pts> entry_pts_;  // what is shown before it refers to what is missing
};

}  // namespace framelock::stream
