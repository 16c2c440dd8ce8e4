// SPDX-License-Identifier: Apache-2.0
#include "trickle/relay/channel.h"

#include <algorithm>
#include <utility>

namespace framelock::relay {
namespace {

// A follower that is further behind has lost touch with what is live.
constexpr std::uint64_t kFollowAtMostBehind = 2;

}  // namespace

Channel::Channel(std::string name, std::string mime, ChannelLimits limits,
                 std::shared_ptr<ByteBudget> budget, const Clock& clock)
    : name_(std::move(name)),
      mime_(std::move(mime)),
      limits_(limits),
      budget_(std::move(budget)),
      clock_(clock),
      last_activity_(clock.Now()) {}

std::shared_ptr<Segment> Channel::InWindow(std::uint64_t seq) {
  const auto& slot = SlotOf(seq);
  return slot && slot->seq() == seq ? slot : nullptr;
}

void Channel::Evict(std::shared_ptr<Segment> segment) {
  segment->MarkEvicted();
  segment->Close();
  evicted_.emplace_back(segment);
  segment.reset();
  std::erase_if(evicted_, [](const auto& weak) { return weak.expired(); });
  std::size_t held = 0;
  for (auto it = evicted_.rbegin(); it != evicted_.rend(); ++it) {
    const auto alive = it->lock();
    if (!alive || alive->abandoned()) continue;
    held += alive->size();
    if (held <= limits_.reader_backlog_bytes) continue;
    stats_.dropped_readers += alive->readers();
    alive->Abandon();
  }
}

std::shared_ptr<Segment> Channel::TakeSlot(std::uint64_t seq) {
  auto& slot = SlotOf(seq);
  if (slot) Evict(std::move(slot));
  slot = std::make_shared<Segment>(seq, limits_.max_segment_bytes, budget_);
  return slot;
}

std::shared_ptr<Segment> Channel::OpenForWrite(std::uint64_t seq) {
  auto segment = InWindow(seq);
  if (!segment) segment = TakeSlot(seq);
  segment->MarkBegun(next_);
  // A publisher may hold a channel that was closed while its request was on the way.
  if (closed_) segment->Close();
  return segment;
}

std::shared_ptr<Segment> Channel::OpenForRead(std::uint64_t seq) {
  if (auto segment = InWindow(seq)) return segment;
  // Readers that start on an empty channel may ask for 0 and, already preconnecting, for 1.
  if (closed_ || !(seq == next_ || (seq == 1 && next_ == 0))) return nullptr;
  return TakeSlot(seq);
}

std::shared_ptr<Segment> Channel::Follow(std::optional<std::uint64_t> last) {
  if (next_ == 0) return nullptr;
  const std::uint64_t current = next_ - 1;
  if (last == current) return nullptr;
  const bool in_reach = last && current > *last && current - *last <= kFollowAtMostBehind;
  if (in_reach) {
    auto following = InWindow(*last + 1);
    if (following && (following->size() > 0 || following->closed())) return following;
    // A number that its publisher left out: go on with the one that has bytes.
  }
  if (last && current > *last) stats_.skipped_segments += current - *last - 1;
  return InWindow(current);
}

// Numbers go back with a publisher that starts again, not because the bytes of a segment that was
// begun in its turn were overtaken by those of the one behind it, on another connection.
void Channel::MoveBehind(const Segment& segment) {
  const bool overtaken = segment.seq() < next_ && segment.begun_at() <= segment.seq();
  if (!overtaken) MoveNext(segment.seq() + 1);
}

void Channel::MoveNext(std::uint64_t next) {
  next_ = next;
  last_activity_ = clock_.Now();
  watchers_.Notify();
}

AppendStatus Channel::Append(Segment& segment, std::span<const std::byte> bytes) {
  const AppendStatus status = segment.Append(bytes);
  Count(segment, bytes.size(), status);
  return status;
}

AppendStatus Channel::AppendLast(Segment& segment, std::span<const std::byte> bytes) {
  const AppendStatus status = segment.AppendLast(bytes);
  Count(segment, bytes.size(), status);
  return status;
}

void Channel::Count(const Segment& segment, std::size_t size, AppendStatus status) {
  if (status == AppendStatus::kClosed) stats_.late_bytes += size;
  if (status != AppendStatus::kAppended) return;
  stats_.bytes += size;
  last_activity_ = clock_.Now();
  if (segment.size() == size) {
    MoveBehind(segment);
    LeaveBehind(segment);
  }
}

void Channel::Finish(Segment& segment) {
  if (segment.closed()) return;
  if (segment.size() == 0) MoveBehind(segment);
  segment.Close();
}

void Channel::ResetBefore(std::uint64_t seq) {
  for (const auto& segment : ring_) {
    if (segment && segment->seq() < seq) segment->Close();
  }
}

bool Channel::CloseSegment(std::uint64_t seq) {
  const auto segment = InWindow(seq);
  if (!segment) return false;
  // An announced hole counts as published, so that readers find what comes behind it; but an old
  // one does not turn the numbering back.
  if (segment->size() == 0 && !segment->closed() && seq >= next_) MoveNext(seq + 1);
  segment->Close();
  return true;
}

bool Channel::LeaveOrphan(Segment& segment) {
  if (!segment.orphaned()) return false;
  if (next_ == segment.seq() + 1) return true;
  CloseOrphan(segment, segment.attachments());
  return false;
}

void Channel::CloseOrphan(Segment& segment, std::uint64_t attachments) {
  if (!segment.orphaned() || segment.attachments() != attachments) return;
  ++stats_.orphaned_segments;
  segment.Close();
}

// Somebody publishes `begun`: nobody returns to an orphan, and when the numbers went back nobody
// will write what readers of the former ones wait for.
void Channel::LeaveBehind(const Segment& begun) {
  for (auto& segment : ring_) {
    if (!segment || segment.get() == &begun) continue;
    CloseOrphan(*segment, segment->attachments());
    if (segment->seq() <= next_ || !segment->forsaken()) continue;
    // Out of the window, so that it can be written after all.
    std::exchange(segment, nullptr)->Close();
  }
}

void Channel::Close() {
  if (closed_) return;
  closed_ = true;
  for (auto& segment : ring_) {
    if (!segment) continue;
    // Whoever is preconnected has ended an empty segment, as its answer says.
    if (segment->size() == 0 && segment->seq() >= next_) next_ = segment->seq() + 1;
    segment->Close();
    segment.reset();
  }
  watchers_.Notify();
}

std::size_t Channel::readers() const {
  std::size_t count = 0;
  for (const auto& segment : ring_) {
    if (segment) count += segment->readers();
  }
  return count;
}

}  // namespace framelock::relay
