// SPDX-License-Identifier: Apache-2.0
#include "trickle/segment_buffer.h"

#include <algorithm>
#include <cstring>

namespace framelock::trickle {

void SegmentBuffer::Append(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const std::size_t used = (end_ - begin_) % kBlockBytes;
    if (end_ - begin_ == blocks_.size() * kBlockBytes) {
      blocks_.emplace_back(new std::byte[kBlockBytes]);
    }
    const std::size_t size = std::min(kBlockBytes - used, bytes.size());
    std::memcpy(blocks_.back().get() + used, bytes.data(), size);
    end_ += size;
    bytes = bytes.subspan(size);
  }
}

std::size_t SegmentBuffer::Read(std::uint64_t offset, std::span<std::byte> room) const {
  std::size_t copied = 0;
  while (offset >= begin_ && offset < end_ && !room.empty()) {
    const std::size_t inside = (offset - begin_) % kBlockBytes;
    const std::byte* block = blocks_[(offset - begin_) / kBlockBytes].get();
    const std::size_t size =
        std::min({room.size(), kBlockBytes - inside, static_cast<std::size_t>(end_ - offset)});
    std::memcpy(room.data(), block + inside, size);
    room = room.subspan(size);
    offset += size;
    copied += size;
  }
  return copied;
}

void SegmentBuffer::DiscardBefore(std::uint64_t offset) {
  while (!blocks_.empty() && begin_ + kBlockBytes <= std::min(offset, end_)) {
    blocks_.pop_front();
    begin_ += kBlockBytes;
  }
}

}  // namespace framelock::trickle
