// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stream/text_line.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <nlohmann/json.hpp>

#include "pipeline/stream/text_batch.h"

namespace framelock::stream {
namespace {

using namespace std::chrono_literals;

bool Readable(int fd) {
  pollfd entry{fd, POLLIN, 0};
  return ::poll(&entry, 1, 0) == 1;
}

FrameText Text(std::uint64_t sequence) {
  return {.sequence = sequence, .pts_ticks = sequence * 3000, .text = "a"};
}

TEST(TextLine, GivesOutInOrderAndSaysWhenThereIsSomething) {
  auto line = TextLine::Create(4);
  ASSERT_TRUE(line);
  EXPECT_FALSE(Readable((*line)->fd()));
  EXPECT_FALSE((*line)->Next());
  (*line)->Put(Text(1));
  (*line)->Put(Text(2));
  EXPECT_TRUE(Readable((*line)->fd()));
  EXPECT_EQ((*line)->Next()->sequence, 1U);
  EXPECT_EQ((*line)->Next()->sequence, 2U);
  EXPECT_FALSE((*line)->Next());
  EXPECT_FALSE(Readable((*line)->fd()));
  EXPECT_EQ((*line)->dropped(), 0U);
}

TEST(TextLine, DropsTheOldestWhenFull) {
  auto line = TextLine::Create(2);
  ASSERT_TRUE(line);
  for (std::uint64_t i = 1; i <= 5; ++i) (*line)->Put(Text(i));
  EXPECT_EQ((*line)->dropped(), 3U);
  EXPECT_EQ((*line)->Next()->sequence, 4U);
}

TEST(FrameText, IsOneObject) {
  EXPECT_EQ(ToJson(Text(2)), nlohmann::json::parse(R"({"sequence":2,"pts":6000,"text":"a"})"));
  FrameText untimed = Text(3);
  untimed.pts_ticks.reset();
  EXPECT_TRUE(ToJson(untimed)["pts"].is_null());
}

TEST(FrameText, TicksAreRoundedAsTheMuxerDoes) {
  EXPECT_EQ(ToTicks(0), 0U);
  EXPECT_EQ(ToTicks(33'333'333), 3000U);
  EXPECT_EQ(ToTicks(1'000'000'000), 90'000U);
}

constexpr SteadyTime kStart{1000s};

TEST(TextBatch, TheFirstTextGoesAtOnceAndOthersByTheInterval) {
  TextBatch batch({.interval = 300ms, .keep_alive = 25s, .max_texts = 8}, kStart);
  batch.Add("\"1\"");
  EXPECT_EQ(batch.Take(kStart + 1s), "[\"1\"]\n");
  batch.Add("\"2\"");
  EXPECT_EQ(batch.NextDeadline(), kStart + 1300ms);
  EXPECT_EQ(batch.Take(kStart + 1299ms), std::nullopt);
  batch.Add("\"3\"");
  EXPECT_EQ(batch.Take(kStart + 1300ms), "[\"2\",\"3\"]\n");
}

TEST(TextBatch, SaysThatThereIsNothingToKeepTheChannel) {
  TextBatch batch({}, kStart);
  EXPECT_EQ(batch.Take(kStart + 24s), std::nullopt);
  EXPECT_EQ(batch.Take(kStart + 25s), "[]\n");
  EXPECT_EQ(batch.Take(kStart + 26s), std::nullopt);
}

TEST(TextBatch, DropsTheOldestWhenFull) {
  TextBatch batch({.max_texts = 2}, kStart);
  for (const char* text : {"\"1\"", "\"2\"", "\"3\""}) batch.Add(text);
  EXPECT_EQ(batch.dropped(), 1U);
  EXPECT_EQ(batch.TakeAll(), "[\"2\",\"3\"]\n");
  EXPECT_EQ(batch.TakeAll(), "");
}

TEST(TextBatch, DropsTheOldestWhenTheyAreTooLong) {
  TextBatch batch({.max_bytes = 8}, kStart);
  for (const char* text : {"\"1\"", "\"2\"", "\"3\""}) batch.Add(text);
  EXPECT_EQ(batch.dropped(), 1U);
  batch.Add("\"long as it is\"");
  EXPECT_EQ(batch.dropped(), 3U);
  EXPECT_EQ(batch.TakeAll(), "[\"long as it is\"]\n");
  for (const char* text : {"\"1\"", "\"2\""}) batch.Add(text);
  EXPECT_EQ(batch.TakeAll(), "[\"1\",\"2\"]\n");
}

TEST(TextBatch, LinesAreNoLongerThanAGatewayReads) {
  TextBatch batch({.max_line_bytes = 12}, kStart);
  for (const char* text : {"\"long as it is\"", "\"1234\"", "\"5\"", "\"6\""}) batch.Add(text);
  EXPECT_EQ(batch.TakeAll(), "[\"1234\",\"5\"]\n[\"6\"]\n");
  EXPECT_EQ(batch.dropped(), 1U);
}

}  // namespace
}  // namespace framelock::stream
