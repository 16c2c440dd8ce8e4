// SPDX-License-Identifier: Apache-2.0
// The input's clock and the budget behind it.
#include <gtest/gtest.h>

#include <chrono>
#include <random>

#include "pipeline/core/hold_budget.h"
#include "pipeline/core/input_clock.h"

namespace framelock {
namespace {

using namespace std::chrono_literals;
using Duration = std::chrono::nanoseconds;

constexpr SteadyTime kStart{1h};
constexpr Duration kInterval = 33'333'333ns;

TEST(InputClock, ExpectsFramesWhenTheLeastDelayedOnesCome) {
  InputClock clock;
  std::mt19937 random(1);
  for (int i = 0; i < 600; ++i) {
    const Duration late = Duration(random() % 5'000'000);
    const SteadyTime expected = clock.Arrived(i * kInterval, kStart + i * kInterval + late);
    EXPECT_LE(expected, kStart + i * kInterval + late);
    if (i > 120) {
      EXPECT_GE(expected, kStart + i * kInterval);
      EXPECT_LE(expected, kStart + i * kInterval + 1ms);
    }
  }
}

TEST(InputClock, FollowsADriftingClock) {
  for (const double drift : {1e-3, -1e-3}) {
    InputClock clock;
    Duration worst{};
    for (int i = 0; i < 3000; ++i) {
      const auto pts = i * kInterval;
      const SteadyTime now = kStart + Duration(std::int64_t(pts.count() * (1 + drift)));
      worst = std::max<Duration>(worst, now - clock.Arrived(pts, now));
    }
    EXPECT_LT(worst, 3ms) << drift;
  }
}

TEST(InputClock, ALateBurstMovesNothing) {
  InputClock clock;
  for (int i = 0; i < 60; ++i) clock.Arrived(i * kInterval, kStart + i * kInterval);
  const SteadyTime burst = kStart + 65 * kInterval;
  for (int i = 60; i < 66; ++i) {
    const SteadyTime expected = clock.Arrived(i * kInterval, burst);
    EXPECT_LT(expected - (kStart + i * kInterval), 2ms) << i;
  }
}

TEST(InputClock, StartsAnewAfterAJumpOrAPause) {
  InputClock clock;
  Duration pts{};
  SteadyTime now = kStart;
  const auto run = [&] {
    for (int i = 0; i < 60; ++i, pts += kInterval, now += kInterval) {
      EXPECT_EQ(clock.Arrived(pts, now), now);
    }
  };
  run();
  pts += 1h;  // the source begins another epoch
  run();
  pts -= 30min;
  run();
  now += 5s;  // the network was away, and the source waited
  run();
  clock.Restart();
  pts += 100ms;
  run();
}

class HoldBudgetTest : public testing::Test {
 protected:
  // `count` frames whose lateness is spread evenly between the two.
  void Add(int count, Duration low, Duration high) {
    for (int i = 0; i < count; ++i) Add(low + Duration(random_() % ((high - low).count() + 1)));
  }
  void Add(Duration lateness) {
    now_ += kInterval;
    budget_.Add({.whole = lateness, .service = lateness}, kInterval, now_);
  }

  HoldBudget budget_;
  SteadyTime now_ = kStart;
  std::mt19937_64 random_{7};
};

TEST_F(HoldBudgetTest, ComesNearTheLongestOfAWorkersTimes) {
  Add(120, 16ms, 29ms);
  EXPECT_GT(budget_.value(), 26ms);
  EXPECT_LE(budget_.value(), 29ms);
}

TEST_F(HoldBudgetTest, IsNextToNothingForAFastWorker) {
  Add(300, 300us, 500us);
  EXPECT_LE(budget_.value(), 500us);
  // A hitch in one frame of a hundred is no reason to delay the others.
  for (int i = 0; i < 5; ++i) {
    Add(99, 300us, 500us);
    Add(12ms);
    EXPECT_LE(budget_.value(), 600us);
  }
}

TEST_F(HoldBudgetTest, APauseDoesNotMoveIt) {
  Add(120, 16ms, 29ms);
  const Duration before = budget_.value();
  Add(500ms);
  Add(60, 16ms, 29ms);
  EXPECT_NEAR(static_cast<double>(budget_.value().count()), static_cast<double>(before.count()),
              1e6);
}

TEST_F(HoldBudgetTest, GrowsAndShrinksSmoothlyWithinSeconds) {
  Add(120, 16ms, 29ms);
  Add(45, 60ms, 70ms);
  EXPECT_GT(budget_.value(), 55ms);
  Add(150, 60ms, 70ms);
  Duration before = budget_.value();
  for (int i = 0; i < 300; ++i) {
    Add(1, 16ms, 29ms);
    EXPECT_LT(before - budget_.value(), 2ms);
    before = budget_.value();
  }
  EXPECT_LT(budget_.value(), 30ms);
}

TEST_F(HoldBudgetTest, NeverHoldsATypicalFrameLongerThanAnInterval) {
  Add(300, 0ms, 1s);  // an input that comes in bursts
  EXPECT_LT(budget_.value(), 700ms);
  EXPECT_GT(budget_.value(), 300ms);
}

TEST_F(HoldBudgetTest, ASourceThatIsLateDelaysTheOthersByATwentiethOfAnInterval) {
  for (int i = 0; i < 300; ++i) {
    const Duration arrived = i % 10 == 0 ? 15ms : Duration(random_() % 8'000'000);
    now_ += kInterval;
    budget_.Add({.whole = arrived + 1ms, .service = 1ms}, kInterval, now_);
  }
  EXPECT_NEAR(static_cast<double>(budget_.value().count()),
              static_cast<double>((4ms + 1ms + kInterval / 20).count()), 1e6);
}

// A frame that waits long for its worker may wait a little for its encoder, too.
TEST_F(HoldBudgetTest, BesideASlowWorkerOtherNoiseIsCoveredUpToAQuarterOfItsTime) {
  for (int i = 0; i < 600; ++i) {
    const Duration service = 16ms + Duration(random_() % 12'000'000);
    now_ += kInterval;
    budget_.Add({.whole = service + Duration(random_() % 40'000'000), .service = service},
                kInterval, now_);
  }
  EXPECT_NEAR(static_cast<double>(budget_.value().count()),
              static_cast<double>(Duration(28ms + 20ms + 28ms / 4).count()), 2e6);
}

TEST_F(HoldBudgetTest, AfterAClearItFallsOnceAndNotWithASingleFrame) {
  Add(120, 16ms, 29ms);
  const Duration before = budget_.value();
  budget_.Clear();
  Add(8, 16ms, 17ms);  // the first of them does not count
  EXPECT_EQ(budget_.value(), before);
  Add(1, 16ms, 17ms);
  EXPECT_LE(budget_.value(), 17ms);
}

TEST_F(HoldBudgetTest, MayBeFixed) {
  HoldBudget fixed(80ms);
  EXPECT_TRUE(fixed.known());
  for (int i = 0; i < 100; ++i) fixed.Add({200ms, 200ms}, kInterval, now_ += kInterval);
  EXPECT_EQ(fixed.value(), 80ms);
}

}  // namespace
}  // namespace framelock
