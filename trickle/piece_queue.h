// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>

#include "pipeline/core/result.h"
#include "trickle/subscriber.h"

namespace framelock::trickle {

/// Pieces between the network thread and the reader, bounded in bytes. Never drops: whoever pushes
/// asks HasRoom first and stops reading when there is none, so the bound is passed by one piece at
/// most. Small pieces of one segment are joined while they wait, so a bound in bytes is a bound in
/// memory. Any thread.
class PieceQueue {
 public:
  explicit PieceQueue(std::size_t capacity_bytes) : capacity_bytes_(capacity_bytes) {}

  /// False: full; the next Pop that has made room by half says so.
  bool HasRoom();
  void Push(Piece piece);
  /// Ends the queue: what is in it can still be popped, then Pop returns `reason`.
  void End(Error reason);

  struct Popped {
    Piece piece;
    bool made_room = false;  // the pusher was refused before: tell it
  };
  /// Ends with kCancelled while interrupted, kTimeout, or the reason given to End.
  Result<Popped> Pop(std::chrono::milliseconds timeout);
  void Interrupt();
  void Resume();

  [[nodiscard]] std::size_t bytes() const;
  /// Of the piece handed out last; 0 before.
  [[nodiscard]] std::uint64_t segment_seq() const;

 private:
  static constexpr std::size_t kJoinedBytes = 64 * 1024;
  static constexpr std::size_t kPieceOverhead = 128;  // so that tiny segments are bounded too

  [[nodiscard]] std::size_t Cost() const { return bytes_ + pieces_.size() * kPieceOverhead; }

  const std::size_t capacity_bytes_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Piece> pieces_;
  std::size_t bytes_ = 0;
  std::uint64_t segment_seq_ = 0;
  std::optional<Error> end_;
  bool refused_ = false;
  bool interrupted_ = false;
};

}  // namespace framelock::trickle
