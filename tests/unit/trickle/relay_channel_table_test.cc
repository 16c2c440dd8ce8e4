// SPDX-License-Identifier: Apache-2.0
#include "trickle/relay/channel_table.h"

#include <gtest/gtest.h>

#include "tests/support/fake_clock.h"

namespace framelock::relay {
namespace {

using namespace std::chrono_literals;

std::string ReadAll(const Segment& segment) {
  std::string all;
  Segment::Cursor cursor;
  for (auto piece = segment.Next(cursor); !piece.empty(); piece = segment.Next(cursor)) {
    all.append(reinterpret_cast<const char*>(piece.data()), piece.size());
  }
  return all;
}

TEST(ChannelTable, CreatesOnDemandAndKeepsTheFirstMime) {
  FakeClock clock;
  ChannelTable table({}, clock);
  EXPECT_EQ(table.Find("a"), nullptr);
  const auto first = table.OpenFor("a", "text/plain");
  ASSERT_NE(first.channel, nullptr);
  const auto second = table.OpenFor("a", "video/mp2t");
  EXPECT_EQ(second.channel, first.channel);
  EXPECT_EQ(second.channel->mime(), "text/plain");
}

TEST(ChannelTable, WithoutAutocreateOnlyTheOperatorCreates) {
  FakeClock clock;
  ChannelTable table({.autocreate = false}, clock);
  EXPECT_EQ(table.OpenFor("a", "").verdict, Verdict::kMissing);
  EXPECT_EQ(table.Create("a", "").verdict, Verdict::kDone);
  EXPECT_EQ(table.OpenFor("a", "").verdict, Verdict::kDone);
}

TEST(ChannelTable, DeniesByPrefix) {
  FakeClock clock;
  ChannelTable table({.deny_create = {"no-"}, .deny_delete = {"stay-"}}, clock);
  EXPECT_EQ(table.OpenFor("no-x", "").verdict, Verdict::kDenied);
  EXPECT_EQ(table.OpenFor("stay-x", "").verdict, Verdict::kDone);
  EXPECT_EQ(table.Delete("stay-x"), Verdict::kDenied);
  EXPECT_NE(table.Find("stay-x"), nullptr);
  EXPECT_EQ(table.Delete("unknown"), Verdict::kMissing);
}

TEST(ChannelTable, IsBounded) {
  FakeClock clock;
  ChannelTable table({.max_channels = 2}, clock);
  EXPECT_EQ(table.OpenFor("a", "").verdict, Verdict::kDone);
  EXPECT_EQ(table.OpenFor("b", "").verdict, Verdict::kDone);
  EXPECT_EQ(table.OpenFor("c", "").verdict, Verdict::kTooMany);
  EXPECT_EQ(table.OpenFor("a", "").verdict, Verdict::kDone);
  EXPECT_EQ(table.Delete("b"), Verdict::kDone);
  EXPECT_EQ(table.OpenFor("c", "").verdict, Verdict::kDone);
}

TEST(ChannelTable, SweepsIdleChannelsOnly) {
  FakeClock clock;
  ChannelTable table({.changefeed = true, .idle_timeout = 10s}, clock);
  const auto idle = table.OpenFor("idle", "").channel;
  const auto busy = table.OpenFor("busy", "").channel;
  const auto segment = busy->OpenForWrite(0);
  const std::string_view byte = "x";
  for (int i = 0; i < 11; ++i) {
    clock.Advance(1s);
    busy->Append(*segment, std::as_bytes(std::span(byte)));
    table.Sweep();
  }
  EXPECT_TRUE(idle->closed());
  EXPECT_EQ(table.Find("idle"), nullptr);
  EXPECT_FALSE(busy->closed());
  clock.Advance(11s);
  table.Sweep();
  EXPECT_TRUE(busy->closed());
  EXPECT_TRUE(segment->closed());
  EXPECT_NE(table.Find(ChannelTable::kChangefeed), nullptr);
}

TEST(ChannelTable, ChangefeedTellsEachChange) {
  FakeClock clock;
  ChannelTable table({.changefeed = true}, clock);
  table.OpenFor("a \"quoted\" one", "");
  table.Delete("a \"quoted\" one");
  const auto feed = table.Find(ChannelTable::kChangefeed);
  ASSERT_NE(feed, nullptr);
  EXPECT_EQ(feed->mime(), "application/json");
  EXPECT_EQ(feed->next(), 3u);
  EXPECT_EQ(ReadAll(*feed->OpenForRead(0)), R"({"added":["_changes"]})");
  EXPECT_EQ(ReadAll(*feed->OpenForRead(1)), R"({"added":["a \"quoted\" one"]})");
  EXPECT_EQ(ReadAll(*feed->OpenForRead(2)), R"({"removed":["a \"quoted\" one"]})");
  EXPECT_TRUE(feed->OpenForRead(2)->closed());
}

TEST(ChannelTable, CountsWhatIsStored) {
  FakeClock clock;
  ChannelTable table({.max_total_bytes = 10'000}, clock);
  const auto channel = table.OpenFor("a", "").channel;
  const auto segment = channel->OpenForWrite(0);
  const std::string bytes(9'000, 'x');
  EXPECT_EQ(channel->Append(*segment, std::as_bytes(std::span(bytes))), AppendStatus::kAppended);
  EXPECT_EQ(channel->Append(*segment, std::as_bytes(std::span(bytes))), AppendStatus::kNoMemory);
  EXPECT_GE(table.stored_bytes(), 9'000u);
}

}  // namespace
}  // namespace framelock::relay
