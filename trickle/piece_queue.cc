// SPDX-License-Identifier: Apache-2.0
#include "trickle/piece_queue.h"

#include <algorithm>
#include <utility>

namespace framelock::trickle {

bool PieceQueue::HasRoom() {
  const std::lock_guard lock(mutex_);
  if (Cost() < capacity_bytes_) return true;
  refused_ = true;
  return false;
}

void PieceQueue::Push(Piece piece) {
  const std::lock_guard lock(mutex_);
  bytes_ += piece.bytes.size();
  const bool joins = !pieces_.empty() && !piece.segment_start && !piece.discontinuity &&
                     pieces_.back().segment_seq == piece.segment_seq &&
                     pieces_.back().bytes.size() + piece.bytes.size() <= kJoinedBytes;
  if (joins) {
    auto& bytes = pieces_.back().bytes;
    bytes.insert(bytes.end(), piece.bytes.begin(), piece.bytes.end());
  } else {
    pieces_.push_back(std::move(piece));
  }
  changed_.notify_one();
}

void PieceQueue::End(Error reason) {
  const std::lock_guard lock(mutex_);
  if (!end_) end_ = std::move(reason);
  changed_.notify_one();
}

Result<PieceQueue::Popped> PieceQueue::Pop(std::chrono::milliseconds timeout) {
  // A longer wait would overflow the clock, and nobody can tell the difference.
  constexpr std::chrono::milliseconds kLongest = std::chrono::hours(24 * 365);
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, std::min(timeout, kLongest),
                    [&] { return interrupted_ || !pieces_.empty() || end_; });
  if (interrupted_) return Error{ErrorCode::kCancelled, "reading was interrupted"};
  if (pieces_.empty()) {
    if (end_) return *end_;
    return Error{ErrorCode::kTimeout, "no bytes came in time"};
  }
  Popped popped{std::move(pieces_.front())};
  pieces_.pop_front();
  bytes_ -= popped.piece.bytes.size();
  segment_seq_ = popped.piece.segment_seq;
  popped.made_room = refused_ && Cost() <= capacity_bytes_ / 2;
  if (popped.made_room) refused_ = false;
  return popped;
}

void PieceQueue::Interrupt() {
  const std::lock_guard lock(mutex_);
  interrupted_ = true;
  changed_.notify_all();
}

void PieceQueue::Resume() {
  const std::lock_guard lock(mutex_);
  interrupted_ = false;
}

std::size_t PieceQueue::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

std::uint64_t PieceQueue::segment_seq() const {
  const std::lock_guard lock(mutex_);
  return segment_seq_;
}

}  // namespace framelock::trickle
