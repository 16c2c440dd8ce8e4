// SPDX-License-Identifier: Apache-2.0
#include "pipeline/net/group_queue.h"

#include <algorithm>
#include <utility>

namespace framelock::net {

bool GroupQueue::Push(Message message, Position position) {
  if (position == Position::kStartsGroup || last_group_ == 0) ++last_group_;
  if (refused_group_ == last_group_) {
    ++dropped_messages_;
    return false;
  }
  const std::size_t cost = message.size() + kEntryCost;
  MakeRoom(cost);
  if (!HasRoom(cost)) {
    refused_group_ = last_group_;
    ++dropped_messages_;
    CountGroup(last_group_);
    // What is queued of a group that nobody has seen the beginning of goes with it.
    if (begun_group_ != last_group_) RemoveGroup(last_group_);
    return false;
  }
  bytes_ += cost;
  messages_.push_back({std::move(message), last_group_});
  return true;
}

std::optional<GroupQueue::Message> GroupQueue::Pop() {
  if (messages_.empty()) return std::nullopt;
  Entry entry = std::move(messages_.front());
  messages_.pop_front();
  bytes_ -= entry.message.size() + kEntryCost;
  begun_group_ = entry.group;
  return std::move(entry.message);
}

void GroupQueue::SkipBegunGroup() {
  if (!begun_group_) return;
  const std::uint64_t group = *begun_group_;
  begun_group_.reset();
  if (group == last_group_) refused_group_ = group;
  const bool has_rest = !messages_.empty() && messages_.front().group == group;
  if (has_rest || group == last_group_) CountGroup(group);
  RemoveGroup(group);
}

bool GroupQueue::HasRoom(std::size_t cost) const {
  return messages_.empty() || bytes_ + cost <= capacity_bytes_;
}

void GroupQueue::MakeRoom(std::size_t cost) {
  while (!HasRoom(cost)) {
    const auto oldest = std::find_if(messages_.begin(), messages_.end(),
                                     [&](const Entry& e) { return e.group != begun_group_; });
    if (oldest == messages_.end() || oldest->group == last_group_) return;
    CountGroup(oldest->group);
    RemoveGroup(oldest->group);
  }
}

void GroupQueue::RemoveGroup(std::uint64_t group) {
  const auto of_group = [&](const Entry& e) { return e.group == group; };
  for (const Entry& entry : messages_) {
    if (!of_group(entry)) continue;
    bytes_ -= entry.message.size() + kEntryCost;
    ++dropped_messages_;
  }
  std::erase_if(messages_, of_group);
}

void GroupQueue::CountGroup(std::uint64_t group) {
  if (group == last_dropped_group_) return;
  last_dropped_group_ = group;
  ++dropped_groups_;
}

}  // namespace framelock::net
