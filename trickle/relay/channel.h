// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "pipeline/core/clock.h"
#include "trickle/relay/byte_budget.h"
#include "trickle/relay/segment.h"
#include "trickle/relay/watchers.h"

namespace framelock::relay {

struct ChannelLimits {
  std::size_t max_segment_bytes = 16u << 20;
  // Bytes of segments that left the window and are held for slow readers; beyond it the readers of
  // the oldest are dropped.
  std::size_t reader_backlog_bytes = 64u << 20;
};

struct ChannelStats {
  std::uint64_t bytes = 0;              // published
  std::uint64_t late_bytes = 0;         // published into a segment that was closed, dropped
  std::uint64_t dropped_readers = 0;    // too slow, disconnected
  std::uint64_t skipped_segments = 0;   // by slow subscribers of the WebSocket door
  std::uint64_t orphaned_segments = 0;  // closed because their publisher did not come back
};

/// A named sequence of segments, of which a window of five is kept:
///
///   seq      n-4   n-3   n-2   n-1    n
///           [ ring: seq lives in slot seq % 5  ]      next() == n: the first without a byte
///                                 |     +-- pre-created by a reader or a publisher that waits
///                                 +-------- current: received its first byte last
///
/// Owned by the ChannelTable; requests in flight keep it longer. Loop thread only.
class Channel {
 public:
  static constexpr std::size_t kWindow = 5;

  Channel(std::string name, std::string mime, ChannelLimits limits,
          std::shared_ptr<ByteBudget> budget, const Clock& clock);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::string& mime() const { return mime_; }
  /// The seq after the one that last received its first byte (or ended empty). Can go back, when a
  /// publisher starts again at a lower number.
  [[nodiscard]] std::uint64_t next() const { return next_; }
  [[nodiscard]] bool closed() const { return closed_; }
  /// Of the last published byte or ended segment; what the idle sweep judges by.
  [[nodiscard]] SteadyTime last_activity() const { return last_activity_; }

  /// The segment to publish into: the one in the window (perhaps closed: what is sent then is
  /// dropped), or a new one that takes its slot.
  std::shared_ptr<Segment> OpenForWrite(std::uint64_t seq);
  /// The segment to read, pre-created at the leading edge; null when it is too old or too new.
  std::shared_ptr<Segment> OpenForRead(std::uint64_t seq);
  /// The segment a live follower reads after `last`: the one behind it, or the current one if there
  /// is no `last`, if it left the window or is more than two behind (counted). Null: wait.
  std::shared_ptr<Segment> Follow(std::optional<std::uint64_t> last);

  AppendStatus Append(Segment& segment, std::span<const std::byte> bytes);
  /// Append and Finish in one: the bytes are the segment's last.
  AppendStatus AppendLast(Segment& segment, std::span<const std::byte> bytes);
  /// The publisher ended the segment in good order.
  void Finish(Segment& segment);
  /// Closes every segment below `seq`: nobody waits for an abandoned one any longer.
  void ResetBefore(std::uint64_t seq);
  /// False if the segment is not in the window.
  bool CloseSegment(std::uint64_t seq);
  /// A publisher left the segment. True: it is an orphan now, to be closed after a while. One that
  /// the channel has gone on from is closed at once.
  bool LeaveOrphan(Segment& segment);
  /// Closes an orphan whose publisher did not come back since `attachments`.
  void CloseOrphan(Segment& segment, std::uint64_t attachments);
  void Close();

  /// Called when a segment received its first byte or ended empty, and when the channel closed.
  [[nodiscard]] Watchers::Watch Watch(std::function<void()> callback) {
    return watchers_.Add(std::move(callback));
  }

  [[nodiscard]] ChannelStats& stats() { return stats_; }
  [[nodiscard]] std::size_t readers() const;

 private:
  std::shared_ptr<Segment>& SlotOf(std::uint64_t seq) { return ring_[seq % kWindow]; }
  std::shared_ptr<Segment> InWindow(std::uint64_t seq);
  std::shared_ptr<Segment> TakeSlot(std::uint64_t seq);
  void Evict(std::shared_ptr<Segment> segment);
  void MoveBehind(const Segment& segment);
  void MoveNext(std::uint64_t next);
  void LeaveBehind(const Segment& begun);
  void Count(const Segment& segment, std::size_t size, AppendStatus status);

  const std::string name_;
  const std::string mime_;
  const ChannelLimits limits_;
  const std::shared_ptr<ByteBudget> budget_;
  const Clock& clock_;
  std::array<std::shared_ptr<Segment>, kWindow> ring_;
  std::vector<std::weak_ptr<Segment>> evicted_;  // oldest first
  Watchers watchers_;
  ChannelStats stats_;
  std::uint64_t next_ = 0;
  SteadyTime last_activity_;
  bool closed_ = false;
};

}  // namespace framelock::relay
