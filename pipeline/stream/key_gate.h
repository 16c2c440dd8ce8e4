// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace framelock::stream {

/// Keeps a decoder from making pictures out of access units that are torn or whose references are
/// missing: after a hole nothing passes until the next whole keyframe. Such pictures would show one
/// frame's pixels under another frame's time. Not thread-safe.
///
///   kClosed ──keyframe──► kOpen ──hole announced──► kHole ──unit after the hole──► kClosed
class KeyGate {
 public:
  enum class Unit : std::uint8_t { kKey, kDelta };
  enum class Before : std::uint8_t { kWhole, kHole };

  /// Bytes are missing in front of what follows. What lies between here and the gate comes from
  /// before the hole and may be torn: at most kUnitsBetween access units.
  void AnnounceHole() { between_ = kUnitsBetween; }

  bool Pass(Unit unit, Before before) {
    if (before == Before::kHole) {
      open_ = false;
      between_ = 0;
    }
    if (between_ > 0) {
      --between_;
      open_ = false;
      return false;
    }
    if (unit == Unit::kKey) open_ = true;
    return open_;
  }

 private:
  // One in the demuxer, one in the parser.
  static constexpr int kUnitsBetween = 2;

  bool open_ = false;  // a channel may be joined in the middle
  int between_ = 0;
};

}  // namespace framelock::stream
