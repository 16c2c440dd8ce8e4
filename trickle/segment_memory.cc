// SPDX-License-Identifier: Apache-2.0
#include "trickle/segment_memory.h"

#include <algorithm>
#include <utility>

namespace framelock::trickle {

void SegmentMemory::Begin() {
  segments_.emplace_front();
  if (segments_.size() > kSegments) segments_.pop_back();
}

void SegmentMemory::Add(std::span<const std::byte> bytes) {
  if (segments_.empty()) Begin();
  Segment& segment = segments_.front();
  const std::size_t more = std::min(bytes.size(), kBeginBytes - segment.begin.size());
  segment.begin.insert(segment.begin.end(), bytes.begin(),
                       bytes.begin() + static_cast<std::ptrdiff_t>(more));
  segment.bytes += bytes.size();
}

void SegmentMemory::StartComparing(Among among) {
  comparing_ = among;
  held_.clear();
}

bool SegmentMemory::MayBe(const Segment& segment) const {
  const bool last = &segment == &segments_.front();
  if (comparing_ == Among::kLast ? !last : segment.begin.size() < kLeastBytes) return false;
  const std::size_t size = std::min(held_.size(), segment.begin.size());
  return std::equal(held_.begin(), held_.begin() + static_cast<std::ptrdiff_t>(size),
                    segment.begin.begin());
}

SegmentMemory::Verdict SegmentMemory::Compare(std::span<const std::byte> bytes) {
  held_.insert(held_.end(), bytes.begin(), bytes.end());
  const auto found = std::find_if(segments_.begin(), segments_.end(),
                                  [this](const Segment& segment) { return MayBe(segment); });
  if (found == segments_.end()) return Verdict::kNew;
  if (held_.size() < found->begin.size()) return Verdict::kUndecided;
  known_ = {.bytes = found->bytes, .last = found == segments_.begin()};
  return Verdict::kKnown;
}

std::vector<std::byte> SegmentMemory::TakeHeld() {
  comparing_.reset();
  return std::exchange(held_, {});
}

}  // namespace framelock::trickle
