// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "trickle/relay/byte_budget.h"
#include "trickle/relay/watchers.h"

namespace framelock::relay {

/// How an append ended.
enum class AppendStatus : std::uint8_t {
  kAppended,
  kClosed,    // somebody closed the segment: the bytes are dropped
  kFull,      // the segment's own bound
  kNoMemory,  // the relay's bound
};

/// One numbered piece of a channel: bytes that only grow, and an end. Readers hold it by
/// shared_ptr, so it stays whole for them after the channel has let go of it; bytes never move, so
/// a span stays valid as long as the segment. Loop thread only.
class Segment {
 public:
  Segment(std::uint64_t seq, std::size_t max_bytes, std::shared_ptr<ByteBudget> budget);
  ~Segment();
  Segment(const Segment&) = delete;
  Segment& operator=(const Segment&) = delete;

  [[nodiscard]] std::uint64_t seq() const { return seq_; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool closed() const { return closed_; }

  /// All or nothing.
  AppendStatus Append(std::span<const std::byte> bytes);
  /// The same, and the segment closes with it: readers hear of both at once.
  AppendStatus AppendLast(std::span<const std::byte> bytes);
  void Close();

  /// Where a reader stands. A new one stands at the beginning.
  struct Cursor {
    std::size_t page = 0;
    std::size_t offset = 0;  // in the page
  };
  /// Bytes behind the cursor that lie together; empty when it has seen all there are so far.
  [[nodiscard]] std::span<const std::byte> Next(Cursor& cursor) const;
  /// Nothing is behind the cursor, nor will be.
  [[nodiscard]] bool EndsAt(const Cursor& cursor) const;

  /// Called when bytes came or the segment closed: for its readers.
  [[nodiscard]] Watchers::Watch Watch(std::function<void()> callback) {
    return watchers_.Add(std::move(callback));
  }
  [[nodiscard]] std::size_t readers() const { return watchers_.size(); }
  /// Called when the segment closed: for its publishers, who are not counted as readers.
  [[nodiscard]] Watchers::Watch WatchEnd(std::function<void()> callback) {
    return end_watchers_.Add(std::move(callback));
  }

  /// The channel gave its slot to a later segment.
  void MarkEvicted() { evicted_ = true; }
  [[nodiscard]] bool evicted() const { return evicted_; }
  /// Readers still hold it, and it costs too much: they have to let go.
  void Abandon();
  [[nodiscard]] bool abandoned() const { return abandoned_; }

  /// The channel's next number when its publisher came, the last one if there were several.
  void MarkBegun(std::uint64_t next) { begun_at_ = next; }
  [[nodiscard]] std::uint64_t begun_at() const { return begun_at_; }
  /// Publishers come and go. A segment with bytes, open and without a publisher, is an orphan.
  void AttachWriter();
  void DetachWriter() { --writers_; }
  [[nodiscard]] bool orphaned() const { return writers_ == 0 && size_ > 0 && !closed_; }
  /// Readers may wait for it, but nobody means to write it.
  [[nodiscard]] bool forsaken() const { return writers_ == 0 && size_ == 0 && !closed_; }
  /// Grows with each AttachWriter: tells whether somebody came back meanwhile.
  [[nodiscard]] std::uint64_t attachments() const { return attachments_; }

 private:
  struct Page {
    std::unique_ptr<std::byte[]> bytes;
    std::size_t capacity = 0;
    std::size_t size = 0;
  };

  AppendStatus Store(std::span<const std::byte> bytes);

  bool AddPage(std::size_t wanted);

  const std::uint64_t seq_;
  const std::size_t max_bytes_;
  const std::shared_ptr<ByteBudget> budget_;  // shared: segments outlive the channel table
  std::vector<Page> pages_;
  Watchers watchers_;
  Watchers end_watchers_;
  std::size_t size_ = 0;
  std::size_t writers_ = 0;
  std::uint64_t attachments_ = 0;
  std::uint64_t begun_at_ = 0;
  bool closed_ = false;
  bool evicted_ = false;
  bool abandoned_ = false;
};

}  // namespace framelock::relay
