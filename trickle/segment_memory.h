// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <vector>

namespace framelock::trickle {

/// Knows a segment again that a reader has had, wholly or in part: a publisher sends a server that
/// was restarted once more what the former one had not acknowledged, under other numbers. Keeps the
/// beginnings of the last few segments. Not thread-safe.
class SegmentMemory {
 public:
  /// What is kept of each: in MPEG-TS time stamps and the begin of a picture.
  static constexpr std::size_t kBeginBytes = 16 * 1024;
  /// Less of a segment tells too little.
  static constexpr std::size_t kLeastBytes = 1024;

  /// A segment begins of which nothing was had.
  void Begin();
  /// Bytes of it were handed out.
  void Add(std::span<const std::byte> bytes);

  enum class Among : std::uint8_t {
    kLast,  // it must be the last one, however little was had of it
    kAll,
  };
  /// The segment to come may be one of those that were had.
  void StartComparing(Among among);
  [[nodiscard]] bool comparing() const { return comparing_.has_value(); }

  enum class Verdict : std::uint8_t {
    kUndecided,  // the bytes are held
    kKnown,      // they have been had: known() says which one it is
    kNew,        // what is held (TakeHeld) was never handed out
  };
  Verdict Compare(std::span<const std::byte> bytes);
  /// Ends a comparison.
  std::vector<std::byte> TakeHeld();

  struct Known {
    std::uint64_t bytes = 0;  // that were handed out
    bool last = false;        // nothing was handed out behind it
  };
  [[nodiscard]] const Known& known() const { return known_; }

 private:
  struct Segment {
    std::vector<std::byte> begin;
    std::uint64_t bytes = 0;
  };
  // A publisher has as many unacknowledged at most.
  static constexpr std::size_t kSegments = 5;

  [[nodiscard]] bool MayBe(const Segment& segment) const;

  std::deque<Segment> segments_;  // the last one in front
  std::optional<Among> comparing_;
  std::vector<std::byte> held_;
  Known known_;
};

}  // namespace framelock::trickle
