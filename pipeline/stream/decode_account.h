// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <iterator>
#include <optional>
#include <set>

namespace framelock::stream {

/// Counts the access units that went into a decoder and gave no picture. Pictures come out in the
/// order of their pts, so whatever is older than the newest picture and has not come will not come.
/// Bounded. Not thread-safe.
class DecodeAccount {
 public:
  using Pts = std::chrono::nanoseconds;
  /// Access units that a decoder may hold back; H.264 reorders over 16 pictures at most.
  static constexpr std::size_t kMaxPending = 32;

  void OnAccessUnit(Pts pts) {
    // After a jump back the old ones cannot be told from the new; they are forgotten, uncounted.
    if (!pending_.empty() && pts < *pending_.rbegin() - kJump) pending_.clear();
    pending_.insert(pts);
    if (pending_.size() <= kMaxPending) return;
    pending_.erase(pending_.begin());
    Lose(1);
  }

  /// The access unit will give no picture, and is not to.
  void Withhold(Pts pts) { pending_.erase(pts); }

  void OnPicture(Pts pts) {
    const auto older_end = pending_.lower_bound(pts);
    Lose(static_cast<std::uint64_t>(std::distance(pending_.begin(), older_end)));
    pending_.erase(pending_.begin(), older_end);
    pending_.erase(pts);
    ++pictures_;
    lost_in_a_row_ = 0;
  }

  [[nodiscard]] std::uint64_t pictures() const { return pictures_; }
  [[nodiscard]] std::uint64_t lost() const { return lost_; }
  [[nodiscard]] std::uint64_t lost_in_a_row() const { return lost_in_a_row_; }

 private:
  static constexpr Pts kJump = std::chrono::seconds(2);

  void Lose(std::uint64_t count) {
    lost_ += count;
    lost_in_a_row_ += count;
  }

  std::set<Pts> pending_;
  std::uint64_t pictures_ = 0, lost_ = 0, lost_in_a_row_ = 0;
};

}  // namespace framelock::stream
