// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <chrono>
#include <vector>

#include "plugins/even_rate.h"

namespace framelock::plugins {
namespace {

using namespace std::chrono_literals;
using Duration = EvenRate::Duration;

constexpr Duration kInterval = 33'333'333ns;

class EvenRateTest : public testing::Test {
 protected:
  // `count` frames at the usual interval; the times of those that were chosen.
  std::vector<Duration> Choose(int count, Duration interval = kInterval) {
    std::vector<Duration> chosen;
    for (int i = 0; i < count; ++i, time_ += interval) {
      if (rate_.Choose(time_)) chosen.push_back(time_);
    }
    return chosen;
  }
  // The worker has `count` frames, one right after the other.
  void Serve(int count, Duration takes) {
    for (int i = 0; i < count; ++i) {
      const SteadyTime submitted = now_;
      now_ += takes;
      rate_.Served(submitted, now_);
    }
  }
  static std::vector<Duration> Intervals(const std::vector<Duration>& times) {
    std::vector<Duration> intervals;
    for (std::size_t i = 1; i < times.size(); ++i) intervals.push_back(times[i] - times[i - 1]);
    return intervals;
  }

  EvenRate rate_{1};
  Duration time_ = 5s;
  SteadyTime now_{1h};
};

TEST_F(EvenRateTest, WithoutAWorkersFiguresEveryFrameIsChosen) {
  EXPECT_EQ(Choose(100).size(), 100U);
  EXPECT_EQ(rate_.divisor(), 1U);
  EXPECT_NEAR(static_cast<double>(rate_.interval().count()), 33'333'333, 1);
}

TEST_F(EvenRateTest, ChoosesExactlyEveryNth) {
  Choose(40);
  Serve(8, 80ms);
  ASSERT_EQ(rate_.divisor(), 3U);
  for (const Duration interval : Intervals(Choose(90))) EXPECT_EQ(interval, 3 * kInterval);
}

TEST_F(EvenRateTest, SaysBeforehandWhatItWouldChoose) {
  Choose(40);
  Serve(8, 80ms);
  int chosen = 0;
  for (int i = 0; i < 90; ++i, time_ += i == 45 ? 1h : kInterval) {
    const bool would = rate_.WouldChoose(time_);
    EXPECT_EQ(rate_.Choose(time_), would) << i;
    chosen += would ? 1 : 0;
  }
  EXPECT_NEAR(chosen, 30, 1);
}

// 33, 33, 34 ms: the error of a rounded interval must not add up over many frames.
TEST_F(EvenRateTest, TimesInWholeMillisecondsStayEven) {
  std::vector<Duration> chosen;
  for (std::int64_t n = 0; n < 1000; ++n) {
    if (n == 100) Serve(8, 1s);
    const Duration time = std::chrono::milliseconds(n * 1000 / 30);
    if (rate_.Choose(time) && n >= 200) chosen.push_back(time);
  }
  ASSERT_EQ(rate_.divisor(), 32U);
  for (const Duration interval : Intervals(chosen)) {
    EXPECT_NEAR(static_cast<double>(interval.count()), 32e9 / 30, 1e6);
  }
}

TEST_F(EvenRateTest, WhereTheRateVariesItChoosesWhatIsNearestToEven) {
  Choose(40);
  Serve(8, 80ms);
  ASSERT_EQ(rate_.divisor(), 3U);
  std::vector<Duration> chosen;
  for (int i = 0; i < 300; ++i) {
    // Frames come 20 ms early or late in turns, and each tenth is missing.
    const Duration wobble = i % 4 < 2 ? 0ms : 12ms;
    if (i % 10 != 7 && rate_.Choose(time_ + i * kInterval + wobble)) {
      chosen.push_back(time_ + i * kInterval + wobble);
    }
  }
  EXPECT_NEAR(static_cast<double>(chosen.size()), 100, 12);
  for (const Duration interval : Intervals(chosen)) {
    EXPECT_GE(interval, 3 * kInterval - 17ms);
    EXPECT_LE(interval, 4 * kInterval + 12ms);
  }
}

TEST_F(EvenRateTest, AJumpOfTheTimesChoosesAtOnceAndGoesOn) {
  Choose(40);
  Serve(8, 80ms);
  for (const Duration jump : {Duration(1h), Duration(-2h), Duration(5s)}) {
    time_ += jump;
    const auto chosen = Choose(31);
    ASSERT_GE(chosen.size(), 10U);
    EXPECT_EQ(chosen.front(), time_ - 31 * kInterval);
    for (const Duration interval : Intervals(chosen)) EXPECT_EQ(interval, 3 * kInterval);
  }
}

TEST_F(EvenRateTest, ASlowSourceHasARateToo) {
  Choose(20, 500ms);
  Serve(8, 700ms);
  EXPECT_EQ(rate_.divisor(), 2U);
  for (const Duration interval : Intervals(Choose(20, 500ms))) EXPECT_EQ(interval, 1s);
}

TEST_F(EvenRateTest, APauseNowAndThenIsNotCounted) {
  Choose(40);
  Serve(20, 25ms);
  for (int i = 0; i < 10; ++i) {
    Serve(1, 500ms);
    Serve(100, 25ms);
    EXPECT_EQ(rate_.divisor(), 1U);
  }
}

TEST_F(EvenRateTest, PausesInARowAndManyOfThemAreCounted) {
  Choose(40);
  Serve(20, 25ms);
  Serve(2, 500ms);
  EXPECT_GT(rate_.divisor(), 1U);
  rate_ = EvenRate(1);
  Choose(40);
  Serve(20, 10ms);
  for (int i = 0; i < 6; ++i) {
    Serve(1, 100ms);
    Serve(10, 10ms);
  }
  EXPECT_GT(rate_.divisor(), 1U);
}

TEST_F(EvenRateTest, TheFirstFrameOfAGraphIsNotCounted) {
  Choose(40);
  Serve(20, 10ms);
  rate_.ChangeGraph();
  Serve(1, 300ms);
  Serve(20, 10ms);
  EXPECT_EQ(rate_.divisor(), 1U);
}

TEST_F(EvenRateTest, BecomesSlowerAndFasterWithinTwoSeconds) {
  Choose(40);
  Serve(60, 10ms);
  ASSERT_EQ(rate_.divisor(), 1U);
  SteadyTime before = now_;
  while (rate_.divisor() != 4) {
    Serve(1, 110ms);
    ASSERT_LT(now_ - before, 2s);
  }
  Serve(30, 110ms);
  EXPECT_EQ(rate_.divisor(), 4U);
  before = now_;
  while (rate_.divisor() != 1) {
    Serve(1, 10ms);
    now_ += 90ms;  // until the next chosen one
    ASSERT_LT(now_ - before, 2s);
  }
}

// A worker that takes turns, a second each: what fails is tried ever more seldom.
TEST_F(EvenRateTest, AFasterRateThatFailsIsTriedLessAndLess) {
  Choose(40);
  int changes_early = 0;
  int changes_late = 0;
  std::uint64_t last = 1;
  const SteadyTime begun = now_;
  while (now_ - begun < 20min) {
    const bool slow = (now_ - begun) / 2s % 2 == 0;
    Serve(1, slow ? 60ms : 10ms);
    if (!slow) now_ += 50ms;
    if (rate_.divisor() == last) continue;
    last = rate_.divisor();
    ++(now_ - begun < 1min ? changes_early : changes_late);
  }
  EXPECT_GE(changes_early, 2);
  EXPECT_LE(changes_early, 14);
  EXPECT_LE(changes_late, 2 * 20);
}

// Two frames at a time in a worker that takes them one by one: what the second waits for the first
// is no service of its own.
TEST_F(EvenRateTest, FramesThatQueueInTheWorkerAreNotCountedTwice) {
  EvenRate rate(2);
  for (int i = 0; i < 40; ++i) rate.Choose(i * kInterval);
  SteadyTime submitted = now_;
  for (int i = 0; i < 100; ++i) {  // each is there when the one before it is done
    rate.Served(submitted, now_ + 30ms);
    submitted = now_;
    now_ += 30ms;
  }
  EXPECT_EQ(rate.divisor(), 1U);
}

}  // namespace
}  // namespace framelock::plugins
