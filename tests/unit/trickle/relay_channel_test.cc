// SPDX-License-Identifier: Apache-2.0
#include "trickle/relay/channel.h"

#include <gtest/gtest.h>

#include "tests/support/fake_clock.h"

namespace framelock::relay {
namespace {

std::span<const std::byte> Bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

std::string ReadAll(const Segment& segment) {
  std::string all;
  Segment::Cursor cursor;
  for (auto piece = segment.Next(cursor); !piece.empty(); piece = segment.Next(cursor)) {
    all.append(reinterpret_cast<const char*>(piece.data()), piece.size());
  }
  return all;
}

class ChannelTest : public ::testing::Test {
 protected:
  std::shared_ptr<Segment> Put(std::uint64_t seq, std::string_view bytes) {
    auto segment = channel_.OpenForWrite(seq);
    if (!bytes.empty()) channel_.Append(*segment, Bytes(bytes));
    channel_.Finish(*segment);
    return segment;
  }

  FakeClock clock_;
  std::shared_ptr<ByteBudget> budget_ = std::make_shared<ByteBudget>(1u << 20);
  Channel channel_{"ch",
                   "text/plain",
                   {.max_segment_bytes = 100'000, .reader_backlog_bytes = 3000},
                   budget_,
                   clock_};
};

TEST_F(ChannelTest, NextMovesWithTheFirstByteOrAnEmptyEnd) {
  const auto segment = channel_.OpenForWrite(0);
  EXPECT_EQ(channel_.next(), 0u);
  channel_.Append(*segment, Bytes("a"));
  EXPECT_EQ(channel_.next(), 1u);
  channel_.Append(*segment, Bytes("b"));
  channel_.Finish(*segment);
  EXPECT_EQ(channel_.next(), 1u);
  Put(1, "");
  EXPECT_EQ(channel_.next(), 2u);
  Put(100, "x");
  EXPECT_EQ(channel_.next(), 101u);
  Put(3, "x");
  EXPECT_EQ(channel_.next(), 4u);
}

// Each segment comes on a connection of its own.
TEST_F(ChannelTest, BytesThatAreOvertakenDoNotTurnTheNumbersBack) {
  const auto six = channel_.OpenForWrite(6);
  const auto seven = channel_.OpenForWrite(7);
  channel_.Append(*seven, Bytes("b"));
  channel_.Append(*six, Bytes("a"));
  EXPECT_EQ(channel_.next(), 8u);
  EXPECT_NE(channel_.OpenForRead(8), nullptr);
  const auto eight = channel_.OpenForWrite(8);
  Put(9, "d");
  channel_.Finish(*eight);
  EXPECT_EQ(channel_.next(), 10u);
  Put(3, "again");
  EXPECT_EQ(channel_.next(), 4u);
}

TEST_F(ChannelTest, TheLastBytesAndTheEndAreOneChange) {
  const auto segment = channel_.OpenForWrite(0);
  int woken = 0;
  const auto watch = segment->Watch([&] {
    ++woken;
    EXPECT_EQ(ReadAll(*segment), "last");
    EXPECT_TRUE(segment->closed());
  });
  EXPECT_EQ(channel_.AppendLast(*segment, Bytes("last")), AppendStatus::kAppended);
  EXPECT_EQ(woken, 1);
  EXPECT_EQ(channel_.next(), 1u);
  EXPECT_EQ(channel_.AppendLast(*segment, Bytes("late")), AppendStatus::kClosed);
  const auto full = channel_.OpenForWrite(1);
  EXPECT_EQ(channel_.AppendLast(*full, Bytes(std::string(100'001, 'x'))), AppendStatus::kFull);
  EXPECT_FALSE(full->closed()) << "nothing was taken";
  EXPECT_EQ(channel_.stats().bytes, 4u);
}

TEST_F(ChannelTest, KeepsAWindowOfFive) {
  for (std::uint64_t seq = 0; seq < 10; ++seq) Put(seq, std::to_string(seq));
  for (std::uint64_t seq = 5; seq < 10; ++seq) {
    ASSERT_NE(channel_.OpenForRead(seq), nullptr);
    EXPECT_EQ(ReadAll(*channel_.OpenForRead(seq)), std::to_string(seq));
  }
  EXPECT_EQ(channel_.OpenForRead(4), nullptr);
  EXPECT_EQ(channel_.OpenForRead(11), nullptr);
  EXPECT_NE(channel_.OpenForRead(10), nullptr);
}

TEST_F(ChannelTest, ReadersOfAnEmptyChannelMayAskForTheFirstTwo) {
  EXPECT_EQ(channel_.OpenForRead(2), nullptr);
  const auto one = channel_.OpenForRead(1);
  ASSERT_NE(one, nullptr);
  EXPECT_EQ(channel_.OpenForRead(0)->seq(), 0u);
  EXPECT_EQ(channel_.OpenForWrite(1), one);
}

TEST_F(ChannelTest, EvictionClosesButKeepsTheBytesForItsReaders) {
  const auto held = channel_.OpenForWrite(0);
  channel_.Append(*held, Bytes("held"));
  for (std::uint64_t seq = 1; seq <= 5; ++seq) Put(seq, "x");
  EXPECT_TRUE(held->evicted());
  EXPECT_TRUE(held->closed());
  EXPECT_FALSE(held->abandoned());
  EXPECT_EQ(ReadAll(*held), "held");
}

TEST_F(ChannelTest, TooMuchHeldForSlowReadersDropsTheOldest) {
  std::vector<std::shared_ptr<Segment>> held;
  std::vector<Watchers::Watch> readers;
  int woken = 0;
  for (std::uint64_t seq = 0; seq < 9; ++seq) {
    held.push_back(Put(seq, std::string(1000, 'x')));
    readers.push_back(held.back()->Watch([&woken] { ++woken; }));
  }
  // Four left the window; three of them fit the bound.
  EXPECT_TRUE(held[0]->abandoned());
  EXPECT_FALSE(held[1]->abandoned());
  EXPECT_EQ(channel_.stats().dropped_readers, 1u);
  EXPECT_GT(woken, 0);
}

TEST_F(ChannelTest, UnreadSegmentsAreFreedWhenTheyLeaveTheWindow) {
  Put(0, std::string(1000, 'x'));
  const std::size_t one = budget_->used();
  EXPECT_GE(one, 1000u);
  for (std::uint64_t seq = 1; seq < 50; ++seq) Put(seq, std::string(1000, 'x'));
  EXPECT_EQ(budget_->used(), 5 * one);
  EXPECT_EQ(channel_.stats().dropped_readers, 0u);
}

TEST_F(ChannelTest, ResetClosesEarlierSegmentsOnly) {
  const auto zero = channel_.OpenForWrite(0);
  channel_.Append(*zero, Bytes("a"));
  const auto one = channel_.OpenForWrite(1);
  channel_.ResetBefore(1);
  EXPECT_TRUE(zero->closed());
  EXPECT_FALSE(one->closed());
  EXPECT_EQ(channel_.next(), 1u);
  EXPECT_EQ(channel_.Append(*zero, Bytes("late")), AppendStatus::kClosed);
  EXPECT_EQ(channel_.stats().late_bytes, 4u);
  EXPECT_EQ(ReadAll(*zero), "a");
}

TEST_F(ChannelTest, ClosingAWaitedForSegmentMovesOnButNeverBack) {
  const auto waiting = channel_.OpenForRead(0);
  int woken = 0;
  const auto watch = waiting->Watch([&woken] { ++woken; });
  EXPECT_TRUE(channel_.CloseSegment(0));
  EXPECT_EQ(woken, 1);
  EXPECT_EQ(channel_.next(), 1u);
  EXPECT_FALSE(channel_.CloseSegment(77));
  Put(4, "x");
  EXPECT_TRUE(channel_.CloseSegment(0));
  EXPECT_EQ(channel_.next(), 5u);
}

TEST_F(ChannelTest, OrphansCloseUnlessSomebodyCameBack) {
  const auto segment = channel_.OpenForWrite(0);
  segment->AttachWriter();
  segment->DetachWriter();
  EXPECT_FALSE(segment->orphaned()) << "nothing was written";
  segment->AttachWriter();
  channel_.Append(*segment, Bytes("abc"));
  EXPECT_FALSE(segment->orphaned());
  segment->DetachWriter();
  EXPECT_TRUE(segment->orphaned());
  const std::uint64_t seen = segment->attachments();
  segment->AttachWriter();
  channel_.CloseOrphan(*segment, seen);
  EXPECT_FALSE(segment->closed()) << "the second publisher is at work";
  segment->DetachWriter();
  channel_.CloseOrphan(*segment, seen);
  EXPECT_FALSE(segment->closed()) << "its own grace has not passed";
  channel_.CloseOrphan(*segment, segment->attachments());
  EXPECT_TRUE(segment->closed());
  EXPECT_EQ(channel_.stats().orphaned_segments, 1u);
}

// Nobody returns to what was left behind: its readers go on.
TEST_F(ChannelTest, AnOrphanClosesWhenAnotherSegmentHasBytes) {
  const auto orphan = channel_.OpenForWrite(7);
  orphan->AttachWriter();
  channel_.Append(*orphan, Bytes("abc"));
  orphan->DetachWriter();
  const auto next = channel_.OpenForWrite(8);
  next->AttachWriter();
  EXPECT_FALSE(orphan->closed()) << "the next one is only preconnected";
  channel_.Append(*next, Bytes("d"));
  EXPECT_TRUE(orphan->closed());
  EXPECT_EQ(ReadAll(*orphan), "abc");
  EXPECT_EQ(channel_.stats().orphaned_segments, 1u);
  EXPECT_FALSE(next->closed());
}

TEST_F(ChannelTest, ASegmentThatIsStillWrittenStaysOpenBesideTheNext) {
  const auto segment = channel_.OpenForWrite(7);
  segment->AttachWriter();
  channel_.Append(*segment, Bytes("abc"));
  Put(8, "d");
  EXPECT_FALSE(segment->closed());
  EXPECT_FALSE(channel_.LeaveOrphan(*segment)) << "its publisher is there";
  segment->DetachWriter();
  EXPECT_FALSE(channel_.LeaveOrphan(*segment)) << "nothing to wait for";
  EXPECT_TRUE(segment->closed());
  EXPECT_EQ(channel_.stats().orphaned_segments, 1u);
}

TEST_F(ChannelTest, TheLastOrphanIsWaitedFor) {
  const auto segment = channel_.OpenForWrite(7);
  segment->AttachWriter();
  channel_.Append(*segment, Bytes("abc"));
  segment->DetachWriter();
  EXPECT_TRUE(channel_.LeaveOrphan(*segment));
  EXPECT_FALSE(segment->closed());
}

// A publisher that restarted counts from 0: nobody will write what readers of the former numbers
// wait for.
TEST_F(ChannelTest, NumbersThatGoBackAnswerWhoWaitsForHigherOnes) {
  Put(40, "old");
  const auto waited_for = channel_.OpenForRead(41);
  const auto preconnected = channel_.OpenForWrite(42);
  preconnected->AttachWriter();
  int woken = 0;
  const auto watch = waited_for->Watch([&woken] { ++woken; });
  Put(3, "new");
  EXPECT_EQ(woken, 1);
  EXPECT_TRUE(waited_for->closed());
  EXPECT_FALSE(preconnected->closed()) << "somebody means to write it";
  EXPECT_EQ(channel_.next(), 4u);
  EXPECT_EQ(channel_.OpenForRead(41), nullptr);
  Put(41, "again");  // an answer is no bar to bytes
  EXPECT_EQ(ReadAll(*channel_.OpenForRead(41)), "again");
}

TEST_F(ChannelTest, SegmentsAndMemoryAreBounded) {
  const auto segment = channel_.OpenForWrite(0);
  EXPECT_EQ(channel_.Append(*segment, Bytes(std::string(99'999, 'x'))), AppendStatus::kAppended);
  EXPECT_EQ(channel_.Append(*segment, Bytes("yz")), AppendStatus::kFull);
  EXPECT_EQ(channel_.Append(*segment, Bytes("y")), AppendStatus::kAppended);
  EXPECT_EQ(segment->size(), 100'000u);
  auto small = std::make_shared<ByteBudget>(5000);
  Channel poor("poor", "", {}, small, clock_);
  const auto tight = poor.OpenForWrite(0);
  EXPECT_EQ(poor.Append(*tight, Bytes(std::string(4000, 'x'))), AppendStatus::kAppended);
  EXPECT_EQ(poor.Append(*tight, Bytes(std::string(4000, 'x'))), AppendStatus::kNoMemory);
  EXPECT_EQ(tight->size(), 4000u);
  EXPECT_LE(small->used(), 5000u);
}

TEST_F(ChannelTest, BytesOfAnySizeComeBackExactly) {
  const auto segment = channel_.OpenForWrite(0);
  std::string expected;
  Segment::Cursor live;
  std::string followed;
  for (std::size_t i = 1; expected.size() < 90'000; i = i * 3 % 7919) {
    const std::string piece(i, static_cast<char>('a' + i % 26));
    ASSERT_EQ(channel_.Append(*segment, Bytes(piece)), AppendStatus::kAppended);
    expected += piece;
    for (auto part = segment->Next(live); !part.empty(); part = segment->Next(live)) {
      followed.append(reinterpret_cast<const char*>(part.data()), part.size());
    }
  }
  EXPECT_EQ(ReadAll(*segment), expected);
  EXPECT_EQ(followed, expected);
}

TEST_F(ChannelTest, ActivityIsEveryByteNotOnlyTheFirst) {
  const auto segment = channel_.OpenForWrite(0);
  channel_.Append(*segment, Bytes("a"));
  clock_.Advance(std::chrono::seconds(10));
  channel_.Append(*segment, Bytes("b"));
  EXPECT_EQ(channel_.last_activity(), clock_.Now());
}

TEST_F(ChannelTest, FollowerGetsTheCurrentThenEachThenSkips) {
  EXPECT_EQ(channel_.Follow(std::nullopt), nullptr);
  Put(0, "0");
  Put(1, "1");
  EXPECT_EQ(channel_.Follow(std::nullopt)->seq(), 1u);
  EXPECT_EQ(channel_.Follow(1), nullptr);
  Put(2, "2");
  Put(3, "3");
  EXPECT_EQ(channel_.Follow(1)->seq(), 2u);
  EXPECT_EQ(channel_.stats().skipped_segments, 0u);
  Put(4, "4");
  EXPECT_EQ(channel_.Follow(1)->seq(), 4u);
  EXPECT_EQ(channel_.stats().skipped_segments, 2u);
  // A number left out does not hold anybody up; numbers that go back are followed.
  Put(6, "6");
  EXPECT_EQ(channel_.Follow(4)->seq(), 6u);
  Put(100, "far");
  Put(50, "back");
  ASSERT_NE(channel_.Follow(100), nullptr);
  EXPECT_EQ(ReadAll(*channel_.Follow(100)), "back");
}

TEST_F(ChannelTest, CloseWakesEverybody) {
  const auto segment = channel_.OpenForRead(0);
  int woken = 0;
  const auto reader = segment->Watch([&woken] { ++woken; });
  const auto follower = channel_.Watch([&woken] { ++woken; });
  channel_.Close();
  EXPECT_EQ(woken, 2);
  EXPECT_TRUE(segment->closed());
  EXPECT_EQ(channel_.OpenForRead(1), nullptr);
  EXPECT_TRUE(channel_.OpenForWrite(1)->closed());
}

}  // namespace
}  // namespace framelock::relay
