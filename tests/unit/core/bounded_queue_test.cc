// SPDX-License-Identifier: Apache-2.0
#include "pipeline/core/bounded_queue.h"

#include <gtest/gtest.h>

#include <thread>

namespace framelock {
namespace {

TEST(BoundedQueue, DropOldestKeepsTheFreshest) {
  BoundedQueue<int> queue(2, FullPolicy::kDropOldest);
  EXPECT_EQ(queue.Push(1), PushStatus::kPushed);
  EXPECT_EQ(queue.Push(2), PushStatus::kPushed);
  EXPECT_EQ(queue.Push(3), PushStatus::kDroppedOldest);
  EXPECT_EQ(queue.dropped(), 1u);
  EXPECT_EQ(queue.Pop(), 2);
  EXPECT_EQ(queue.Pop(), 3);
}

TEST(BoundedQueue, RejectNewRefusesAndCounts) {
  BoundedQueue<int> queue(1, FullPolicy::kRejectNew);
  EXPECT_EQ(queue.Push(1), PushStatus::kPushed);
  EXPECT_EQ(queue.Push(2), PushStatus::kRejected);
  EXPECT_EQ(queue.dropped(), 1u);
  EXPECT_EQ(queue.size(), 1u);
}

TEST(BoundedQueue, CostCountsAndAnOversizedItemPassesOnlyAlone) {
  BoundedQueue<int> queue(10, FullPolicy::kRejectNew);
  EXPECT_EQ(queue.Push(1, 11), PushStatus::kPushed);
  EXPECT_EQ(queue.Push(2, 1), PushStatus::kRejected);
  EXPECT_EQ(queue.TryPop(), 1);
  EXPECT_EQ(queue.Push(3, 6), PushStatus::kPushed);
  EXPECT_EQ(queue.Push(4, 5), PushStatus::kRejected);
  EXPECT_EQ(queue.cost(), 6u);
}

TEST(BoundedQueue, CloseRefusesPushesAndDrainsPops) {
  BoundedQueue<int> queue(4, FullPolicy::kBlock);
  EXPECT_EQ(queue.Push(1), PushStatus::kPushed);
  queue.Close();
  EXPECT_EQ(queue.Push(2), PushStatus::kClosed);
  EXPECT_EQ(queue.Pop(), 1);
  EXPECT_EQ(queue.Pop(), std::nullopt);
}

TEST(BoundedQueue, StopEndsABlockedPushAndABlockedPop) {
  BoundedQueue<int> full(1, FullPolicy::kBlock);
  ASSERT_EQ(full.Push(1), PushStatus::kPushed);
  BoundedQueue<int> empty(1, FullPolicy::kBlock);
  std::stop_source stop;
  PushStatus pushed = PushStatus::kPushed;
  std::optional<int> popped = 7;
  std::jthread pusher([&] { pushed = full.Push(2, 1, stop.get_token()); });
  std::jthread popper([&] { popped = empty.Pop(stop.get_token()); });
  stop.request_stop();
  pusher.join();
  popper.join();
  EXPECT_EQ(pushed, PushStatus::kStopped);
  EXPECT_EQ(popped, std::nullopt);
}

TEST(BoundedQueue, BlockedProducersLoseNothing) {
  BoundedQueue<int> queue(3, FullPolicy::kBlock);
  constexpr int kItems = 20000;
  std::jthread producer([&] {
    for (int i = 0; i < kItems; ++i) queue.Push(i);
    queue.Close();
  });
  int expected = 0;
  while (const auto item = queue.Pop()) EXPECT_EQ(*item, expected++);
  EXPECT_EQ(expected, kItems);
  EXPECT_EQ(queue.dropped(), 0u);
}

}  // namespace
}  // namespace framelock
