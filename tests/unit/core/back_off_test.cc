// SPDX-License-Identifier: Apache-2.0
#include "pipeline/core/back_off.h"

#include <gtest/gtest.h>

namespace framelock {
namespace {

using std::chrono::milliseconds;

TEST(BackOff, DoublesAndGivesUp) {
  BackOff back_off({milliseconds(100), milliseconds(300), milliseconds(1000)});
  SteadyTime now{};
  EXPECT_EQ(back_off.Failed(now), now + milliseconds(100));
  EXPECT_EQ(back_off.Failed(now), now + milliseconds(200));
  EXPECT_EQ(back_off.Failed(now), now + milliseconds(300));
  now += milliseconds(999);
  EXPECT_EQ(back_off.Failed(now), now + milliseconds(300));
  now += milliseconds(1);
  EXPECT_EQ(back_off.Failed(now), std::nullopt);
  back_off.Succeeded();
  EXPECT_EQ(back_off.Failed(now), now + milliseconds(100));
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
