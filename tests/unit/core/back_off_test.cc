// SPDX-License-Identifier: Apache-2.0
#include "pipeline/core/back_off.h"

#include <gtest/gtest.h>

#include <set>

namespace framelock {
namespace {

using std::chrono::milliseconds;

// The wait after a failure is at most so long, and at least three quarters of it.
void ExpectWait(std::optional<SteadyTime> next, SteadyTime now, milliseconds longest) {
  ASSERT_TRUE(next.has_value());
  EXPECT_LE(*next, now + longest);
  EXPECT_GE(*next, now + longest * 3 / 4);
}

TEST(BackOff, DoublesAndGivesUp) {
  BackOff back_off({milliseconds(100), milliseconds(300), milliseconds(1000)});
  SteadyTime now{};
  ExpectWait(back_off.Failed(now), now, milliseconds(100));
  ExpectWait(back_off.Failed(now), now, milliseconds(200));
  ExpectWait(back_off.Failed(now), now, milliseconds(300));
  now += milliseconds(999);
  ExpectWait(back_off.Failed(now), now, milliseconds(300));
  now += milliseconds(1);
  EXPECT_EQ(back_off.Failed(now), std::nullopt);
  back_off.Succeeded();
  ExpectWait(back_off.Failed(now), now, milliseconds(100));
}

TEST(BackOff, ThoseWhoFailTogetherComeBackOneByOne) {
  std::set<SteadyTime> times;
  for (std::uint32_t seed = 1; seed <= 20; ++seed) {
    BackOff back_off({milliseconds(100), milliseconds(300), milliseconds(0)}, seed * 2654435761u);
    times.insert(*back_off.Failed(SteadyTime{}));
  }
  EXPECT_GT(times.size(), 15u);
}

TEST(BackOff, NeverGivesUpWhenToldSo) {
  BackOff back_off({milliseconds(100), milliseconds(300), milliseconds(0)});
  EXPECT_TRUE(back_off.Failed(SteadyTime{}).has_value());
  EXPECT_TRUE(back_off.Failed(SteadyTime{} + std::chrono::hours(1000)).has_value());
}

TEST(BackOff, MayGiveUpAtItsFirstFailure) {
  BackOff back_off({milliseconds(100), milliseconds(300), milliseconds(1000)});
  back_off.Begin(SteadyTime{});
  EXPECT_TRUE(back_off.Failed(SteadyTime{} + milliseconds(999)).has_value());
  EXPECT_EQ(back_off.Failed(SteadyTime{} + milliseconds(1000)), std::nullopt);
}

}  // namespace
}  // namespace framelock
