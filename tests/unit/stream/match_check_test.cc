// SPDX-License-Identifier: Apache-2.0
#include "examples/match_check.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace framelock::demo {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

// A channel as the reader sees it: number k at k/30 s plus an offset, 33 ms apart.
class Channel {
 public:
  explicit Channel(MatchCheck::Options options = {}) : check(options) {}

  void Frame(std::uint32_t number, std::int64_t extra_ticks = 0, bool inverted = false) {
    now_ += milliseconds(33);
    check.Observe(
        {.pts_ticks = std::int64_t{number} * 3000 + offset + extra_ticks,
         .read = ReadStamp{.stamp = {.number = number, .sent_at = microseconds(1'000'000)},
                           .inverted = inverted,
                           .confidence = 1},
         .arrived = now_,
         .wall_clock = microseconds(1'000'000 + number * 1000)});
  }
  void Frames(std::uint32_t first, std::uint32_t count, bool inverted = false) {
    for (std::uint32_t i = 0; i < count; ++i) Frame(first + i, 0, inverted);
  }
  void Unreadable() {
    check.Observe({.pts_ticks = 0, .read = std::nullopt, .arrived = now_, .wall_clock = {}});
  }
  void Wait(milliseconds time) { now_ += time; }

  MatchCheck check;
  std::int64_t offset = 11'250;

 private:
  SteadyTime now_;
};

TEST(MatchCheck, PassesAWholeChannel) {
  Channel channel;
  channel.Frames(100, 100);
  EXPECT_TRUE(channel.check.passed());
  const auto report = channel.check.Report();
  EXPECT_EQ(report["frames"], 100);
  EXPECT_EQ(report["mismatched"], 0);
  EXPECT_EQ(report["missing_numbers"], 0);
  EXPECT_EQ(report["first_number"], 100);
  EXPECT_EQ(report["last_number"], 199);
  EXPECT_EQ(report["pts_offset_ticks"]["min"], 11'250);
  EXPECT_EQ(report["pts_offset_ticks"]["max"], 11'250);
  EXPECT_EQ(report["max_gap_ms"], 33.0);
  EXPECT_EQ(report["latency_ms"]["p50"], 150.0);
  EXPECT_EQ(report["latency_ms"]["p99"], 199.0);
}

TEST(MatchCheck, AllowsOneTickOfRounding) {
  Channel channel;
  for (std::uint32_t i = 0; i < 50; ++i) channel.Frame(i, i % 2);
  EXPECT_TRUE(channel.check.passed());
  EXPECT_EQ(channel.check.Report()["pts_offset_ticks"]["widest_spread"], 1);
}

TEST(MatchCheck, CountsAFrameUnderAnothersTime) {
  Channel channel;
  channel.Frames(0, 10);
  channel.Frame(10, 3000);
  channel.Frames(11, 10);
  EXPECT_FALSE(channel.check.passed());
  EXPECT_EQ(channel.check.Report()["mismatched"], 1);
  EXPECT_EQ(channel.check.Report()["epochs"], 1);
}

TEST(MatchCheck, CountsTwoTicksAsAMismatch) {
  Channel channel;
  channel.Frames(0, 10);
  channel.Frame(10, 2);
  EXPECT_EQ(channel.check.Report()["mismatched"], 1);
}

TEST(MatchCheck, CountsEveryFrameOfAWanderingOffset) {
  Channel channel;
  channel.Frames(0, 10);
  for (std::uint32_t i = 0; i < 20; ++i) channel.Frame(10 + i, (i + 1) * 300);
  EXPECT_EQ(channel.check.Report()["mismatched"], 20);
}

TEST(MatchCheck, TakesASteadyNewOffsetForAnEpoch) {
  for (const int allowed : {1, 2}) {
    Channel channel({.max_epochs = allowed});
    channel.Frames(0, 10);
    channel.offset = 999;
    channel.Frames(10, 10);
    const auto report = channel.check.Report();
    EXPECT_EQ(report["mismatched"], 0);
    EXPECT_EQ(report["epochs"], 2);
    EXPECT_EQ(channel.check.passed(), allowed == 2);
  }
}

TEST(MatchCheck, CountsDuplicatesDisorderAndGaps) {
  Channel channel;
  channel.Frame(1);
  channel.Frame(1);
  channel.Frame(5);
  channel.Frame(3);
  channel.Frame(6);
  const auto report = channel.check.Report();
  EXPECT_EQ(report["duplicated"], 1);
  EXPECT_EQ(report["out_of_order"], 1);
  EXPECT_EQ(report["missing_numbers"], 3);
  EXPECT_FALSE(channel.check.passed());
}

TEST(MatchCheck, FailsOnAnUnreadableFrame) {
  Channel channel;
  channel.Frames(0, 10);
  channel.Unreadable();
  EXPECT_EQ(channel.check.Report()["unreadable"], 1);
  EXPECT_FALSE(channel.check.passed());
}

TEST(MatchCheck, FailsWithoutFrames) {
  const Channel channel;
  EXPECT_FALSE(channel.check.passed());
  EXPECT_TRUE(channel.check.Report()["last_number"].is_null());
}

TEST(MatchCheck, MeasuresTheLongestGap) {
  Channel channel;
  channel.Frames(0, 3);
  channel.Wait(milliseconds(467));
  channel.Frames(3, 3);
  EXPECT_EQ(channel.check.Report()["max_gap_ms"], 500.0);
}

TEST(MatchCheck, ListsPolarityChanges) {
  Channel channel;
  channel.Frames(0, 5);
  channel.Frames(5, 5, true);
  channel.Frames(10, 5);
  const auto report = channel.check.Report();
  EXPECT_EQ(
      report["polarity_changes"],
      nlohmann::json::parse(R"([{"number":5,"inverted":true},{"number":10,"inverted":false}])"));
  EXPECT_EQ(report["inverted_frames"], 5);
  EXPECT_TRUE(channel.check.passed());
}

TEST(MatchCheck, ForgivesPlainFramesOnlyUntilTheFirstInvertedOne) {
  Channel channel({.polarity = Polarity::kInverted});
  channel.Frames(0, 5);
  EXPECT_FALSE(channel.check.passed());
  channel.Frames(5, 5, true);
  EXPECT_TRUE(channel.check.passed());
  channel.Frame(10);
  EXPECT_FALSE(channel.check.passed());
  EXPECT_EQ(channel.check.Report()["wrong_polarity"], 1);
}

TEST(MatchCheck, BoundsWhatItLists) {
  Channel channel({.max_listed = 3});
  for (std::uint32_t i = 0; i < 20; ++i) channel.Frame(i, 0, i % 2 != 0);
  EXPECT_EQ(channel.check.Report()["polarity_changes"].size(), 3);
}

}  // namespace
}  // namespace framelock::demo
