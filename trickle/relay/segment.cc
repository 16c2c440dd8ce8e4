// SPDX-License-Identifier: Apache-2.0
#include "trickle/relay/segment.h"

#include <algorithm>
#include <cstring>

namespace framelock::relay {
namespace {

// Pages double from the size of a small JSON message to a good size for a socket write.
constexpr std::size_t kFirstPage = 2 * 1024;
constexpr std::size_t kLargestPage = 128 * 1024;

}  // namespace

Segment::Segment(std::uint64_t seq, std::size_t max_bytes, std::shared_ptr<ByteBudget> budget)
    : seq_(seq), max_bytes_(max_bytes), budget_(std::move(budget)) {}

Segment::~Segment() {
  for (const Page& page : pages_) budget_->Return(page.capacity);
}

bool Segment::AddPage(std::size_t wanted) {
  const std::size_t doubled = pages_.empty() ? kFirstPage : pages_.back().capacity * 2;
  const std::size_t capacity = std::max(std::min(doubled, kLargestPage), wanted);
  if (!budget_->Take(capacity)) return false;
  pages_.push_back({std::make_unique_for_overwrite<std::byte[]>(capacity), capacity, 0});
  return true;
}

AppendStatus Segment::Append(std::span<const std::byte> bytes) {
  const AppendStatus status = Store(bytes);
  if (status == AppendStatus::kAppended) watchers_.Notify();
  return status;
}

AppendStatus Segment::AppendLast(std::span<const std::byte> bytes) {
  const AppendStatus status = Store(bytes);
  if (status == AppendStatus::kAppended) Close();
  return status;
}

AppendStatus Segment::Store(std::span<const std::byte> bytes) {
  if (closed_) return AppendStatus::kClosed;
  if (bytes.size() > max_bytes_ - size_) return AppendStatus::kFull;
  const std::size_t room = pages_.empty() ? 0 : pages_.back().capacity - pages_.back().size;
  const std::size_t here = std::min(room, bytes.size());
  // The new page first: either all bytes find room or none is taken.
  if (bytes.size() > here && !AddPage(bytes.size() - here)) return AppendStatus::kNoMemory;
  const auto put = [](Page& page, std::span<const std::byte> part) {
    if (part.empty()) return;
    std::memcpy(page.bytes.get() + page.size, part.data(), part.size());
    page.size += part.size();
  };
  if (bytes.size() > here) {
    if (here > 0) put(pages_[pages_.size() - 2], bytes.first(here));
    put(pages_.back(), bytes.subspan(here));
  } else if (here > 0) {
    put(pages_.back(), bytes);
  }
  size_ += bytes.size();
  return AppendStatus::kAppended;
}

void Segment::Close() {
  if (closed_) return;
  closed_ = true;
  watchers_.Notify();
  end_watchers_.Notify();
}

std::span<const std::byte> Segment::Next(Cursor& cursor) const {
  while (cursor.page < pages_.size()) {
    const Page& page = pages_[cursor.page];
    if (cursor.offset < page.size) {
      const std::span<const std::byte> piece(page.bytes.get() + cursor.offset,
                                             page.size - cursor.offset);
      cursor.offset = page.size;
      return piece;
    }
    if (cursor.page + 1 == pages_.size()) break;
    ++cursor.page;
    cursor.offset = 0;
  }
  return {};
}

bool Segment::EndsAt(const Cursor& cursor) const {
  if (!closed_) return false;
  Cursor copy = cursor;
  return Next(copy).empty();
}

void Segment::Abandon() {
  abandoned_ = true;
  Close();
  watchers_.Notify();
}

void Segment::AttachWriter() {
  ++writers_;
  ++attachments_;
}

}  // namespace framelock::relay
