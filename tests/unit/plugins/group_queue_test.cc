// SPDX-License-Identifier: Apache-2.0
#include "pipeline/net/group_queue.h"

#include <gtest/gtest.h>

namespace framelock::net {
namespace {

constexpr auto kStart = GroupQueue::Position::kStartsGroup;
constexpr auto kNext = GroupQueue::Position::kContinuesGroup;
constexpr std::size_t kCost = 100;  // of one message, with the queue's own 64 bytes

GroupQueue::Message Message(int id) {
  return GroupQueue::Message(kCost - 64, static_cast<std::byte>(id));
}

std::vector<int> Drain(GroupQueue& queue) {
  std::vector<int> ids;
  while (const auto message = queue.Pop()) ids.push_back(std::to_integer<int>(message->front()));
  return ids;
}

TEST(GroupQueue, KeepsOrderAndCountsBytes) {
  GroupQueue queue(10 * kCost);
  EXPECT_TRUE(queue.Push(Message(1), kStart));
  EXPECT_TRUE(queue.Push(Message(2), kNext));
  EXPECT_EQ(queue.bytes(), 2 * kCost);
  EXPECT_EQ(Drain(queue), (std::vector{1, 2}));
  EXPECT_EQ(queue.bytes(), 0u);
  EXPECT_EQ(queue.dropped_messages(), 0u);
}

TEST(GroupQueue, FullDropsTheOldestGroupThatWasNotBegun) {
  GroupQueue queue(4 * kCost);
  queue.Push(Message(1), kStart);
  queue.Push(Message(2), kNext);
  queue.Push(Message(3), kStart);
  queue.Push(Message(4), kNext);
  EXPECT_TRUE(queue.Push(Message(5), kStart));
  EXPECT_EQ(Drain(queue), (std::vector{3, 4, 5}));
  EXPECT_EQ(queue.dropped_groups(), 1u);
  EXPECT_EQ(queue.dropped_messages(), 2u);
}

TEST(GroupQueue, FullKeepsTheBegunGroup) {
  GroupQueue queue(4 * kCost);
  queue.Push(Message(1), kStart);
  queue.Push(Message(2), kNext);
  ASSERT_TRUE(queue.Pop());
  queue.Push(Message(3), kStart);
  queue.Push(Message(4), kNext);
  queue.Push(Message(5), kNext);
  EXPECT_TRUE(queue.Push(Message(6), kStart));
  EXPECT_EQ(Drain(queue), (std::vector{2, 6}));
  EXPECT_EQ(queue.dropped_groups(), 1u);
}

TEST(GroupQueue, RestOfABegunGroupThatFoundNoRoomIsRefusedUpToTheNextStart) {
  GroupQueue queue(2 * kCost);
  queue.Push(Message(1), kStart);
  ASSERT_TRUE(queue.Pop());
  queue.Push(Message(2), kNext);
  queue.Push(Message(3), kNext);
  EXPECT_FALSE(queue.Push(Message(4), kNext));
  EXPECT_EQ(Drain(queue), (std::vector{2, 3}));
  EXPECT_FALSE(queue.Push(Message(5), kNext)) << "room again, but its reference was dropped";
  EXPECT_TRUE(queue.Push(Message(6), kStart));
  EXPECT_EQ(Drain(queue), (std::vector{6}));
  EXPECT_EQ(queue.dropped_groups(), 1u);
  EXPECT_EQ(queue.dropped_messages(), 2u);
}

TEST(GroupQueue, GroupLargerThanTheBoundIsDroppedWhole) {
  GroupQueue queue(2 * kCost);
  queue.Push(Message(1), kStart);
  queue.Push(Message(2), kNext);
  EXPECT_FALSE(queue.Push(Message(3), kNext));
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.dropped_messages(), 3u);
  EXPECT_EQ(queue.dropped_groups(), 1u);
}

TEST(GroupQueue, OversizedMessagePassesOnlyAlone) {
  GroupQueue queue(kCost / 2);
  EXPECT_TRUE(queue.Push(Message(1), kStart));
  EXPECT_TRUE(queue.Push(Message(2), kStart)) << "the older group makes room";
  EXPECT_EQ(Drain(queue), (std::vector{2}));
}

TEST(GroupQueue, ANewConnectionStartsWithAGroup) {
  GroupQueue queue(10 * kCost);
  queue.Push(Message(1), kStart);
  queue.Push(Message(2), kNext);
  ASSERT_TRUE(queue.Pop());
  queue.SkipBegunGroup();
  EXPECT_FALSE(queue.Push(Message(3), kNext));
  EXPECT_TRUE(queue.Push(Message(4), kStart));
  queue.SkipBegunGroup();
  EXPECT_EQ(Drain(queue), (std::vector{4}));
  EXPECT_EQ(queue.dropped_messages(), 2u);
  EXPECT_EQ(queue.dropped_groups(), 1u);
}

}  // namespace
}  // namespace framelock::net
