// SPDX-License-Identifier: Apache-2.0
#include "plugins/ts_timeline.h"

#include <gtest/gtest.h>

#include "tests/unit/plugins/ts_bytes.h"

namespace framelock::plugins {
namespace {

using framelock::testing::TsWriter;
using namespace std::chrono_literals;

class TsTimelineTest : public ::testing::Test {
 protected:
  static constexpr std::uint64_t kSecond = 90000;

  std::vector<std::byte> Clock(std::uint64_t pcr) {
    const TsPacket packet = writer_.Start(0x101, {.pcr = pcr});
    const auto* bytes = reinterpret_cast<const std::byte*>(packet.data());
    return {bytes, bytes + packet.size()};
  }

  TsWriter writer_;
  TsTimeline timeline_{{.slack = 30s}};
  SteadyTime now_{};
};

TEST_F(TsTimelineTest, AGapInTheSameTimelineContinues) {
  timeline_.Push(Clock(100 * kSecond), now_);
  EXPECT_TRUE(timeline_.PushAfterHole(Clock(102 * kSecond), now_ + 2s));
  EXPECT_TRUE(timeline_.PushAfterHole(Clock(700 * kSecond), now_ + 600s));
}

TEST_F(TsTimelineTest, AClockThatWentBackIsAnotherTimeline) {
  timeline_.Push(Clock(100 * kSecond), now_);
  EXPECT_FALSE(timeline_.PushAfterHole(Clock(99 * kSecond), now_ + 1s));
  EXPECT_TRUE(timeline_.PushAfterHole(Clock(100 * kSecond), now_ + 2s)) << "the new one goes on";
}

TEST_F(TsTimelineTest, AClockThatRanTooFarIsAnotherTimeline) {
  timeline_.Push(Clock(100 * kSecond), now_);
  EXPECT_FALSE(timeline_.PushAfterHole(Clock(132 * kSecond), now_ + 1s));
}

TEST_F(TsTimelineTest, TheClockMayWrap) {
  timeline_.Push(Clock((std::uint64_t{1} << 33) - kSecond), now_);
  EXPECT_TRUE(timeline_.PushAfterHole(Clock(kSecond), now_ + 2s));
}

TEST_F(TsTimelineTest, WithoutClocksNothingIsKnown) {
  const std::vector<std::byte> text(400, std::byte{'x'});
  EXPECT_TRUE(timeline_.PushAfterHole(Clock(5), now_)) << "nothing before";
  timeline_.Push(text, now_);
  EXPECT_TRUE(timeline_.PushAfterHole(text, now_ + 1s)) << "nothing after";
}

TEST_F(TsTimelineTest, APacketCutOffByTheHoleDoesNotEatTheNext) {
  auto first = Clock(100 * kSecond);
  timeline_.Push(first, now_);
  first.resize(100);
  timeline_.Push(first, now_);
  EXPECT_FALSE(timeline_.PushAfterHole(Clock(50 * kSecond), now_ + 1s));
}

}  // namespace
}  // namespace framelock::plugins
