// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <vector>

#include "pipeline/stream/gst_handle.h"

namespace framelock::stream {

/// The audio track on its way around the graph: encoded units wait here until the picture that
/// they belong to comes out of the worker. One end is the input's thread, the other the output's;
/// all calls are thread-safe and none blocks. When full the oldest unit is dropped, and counted:
/// video that stands still costs memory for `max_wait` of audio and no more.
class AudioLine {
 public:
  struct Options {
    std::chrono::nanoseconds max_wait = std::chrono::seconds(10);
    std::size_t max_bytes = 4u << 20;  // with kUnitCost for each unit
  };
  static constexpr std::size_t kUnitCost = 512;  // of memory, beside its bytes

  struct Unit {
    std::chrono::nanoseconds at{0};  // running time, as that of the pictures
    std::size_t bytes = 0;
    SamplePtr sample;  // with the format that it has
  };
  struct Counts {
    std::uint64_t passed = 0;   // taken
    std::uint64_t dropped = 0;  // full, or far from every picture, before the first, after the last
  };

  explicit AudioLine(Options options) : options_(options) {}

  /// The input has a track, which the muxer may name in its programme at once; null: only when its
  /// first unit tells the format.
  void Open(CapsPtr format);
  void Push(Unit unit);
  /// Units come so much later than their pictures.
  void AllowLate(std::chrono::nanoseconds late);
  /// The track is gone from the input; what waits goes its way.
  void Close();

  /// The last picture is out: what waits, and what still comes, is dropped.
  void End();

  /// What is to go out before a picture of time `picture`, oldest first. Pictures are told in their
  /// order.
  std::vector<Unit> TakeUntil(std::chrono::nanoseconds picture);
  /// The format of the oldest unit that waits, else that which Open told; null if there is none.
  [[nodiscard]] CapsPtr Format() const;
  [[nodiscard]] Counts counts() const;

 private:
  void Drop(std::deque<Unit>::iterator unit);
  void DropStrangers(std::chrono::nanoseconds picture);

  const Options options_;
  mutable std::mutex mutex_;
  std::deque<Unit> units_;  // by time: those later than a new one were wrong, or are so now
  std::size_t bytes_ = 0;
  CapsPtr announced_;
  std::chrono::nanoseconds late_{0};
  bool begun_ = false;  // a picture was told
  bool ended_ = false;
  Counts counts_;
};

}  // namespace framelock::stream
