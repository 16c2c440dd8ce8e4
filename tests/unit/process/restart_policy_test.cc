// SPDX-License-Identifier: Apache-2.0
#include "pipeline/process/restart_policy.h"

#include <gtest/gtest.h>

namespace framelock::process {
namespace {

using namespace std::chrono_literals;

SteadyTime At(std::chrono::milliseconds offset) { return SteadyTime{} + 1h + offset; }

TEST(RestartPolicy, PausesGrowAndTheLastOneRepeats) {
  RestartPolicy policy({.jitter = 0, .max_restarts = 100, .seed = 1});
  const std::chrono::milliseconds expected[] = {0ms, 250ms, 500ms, 1s, 2s, 4s, 4s};
  for (const auto pause : expected) EXPECT_EQ(policy.OnEnded(At(0ms)), pause);
}

TEST(RestartPolicy, JitterStaysWithinItsBoundsAndMoves) {
  RestartPolicy policy({.back_off = {1000ms}, .max_restarts = 1000, .seed = 1});
  std::chrono::nanoseconds low = 10s;
  std::chrono::nanoseconds high = 0s;
  for (int i = 0; i < 500; ++i) {
    const auto pause = policy.OnEnded(At(0ms));
    ASSERT_TRUE(pause);
    low = std::min(low, *pause);
    high = std::max(high, *pause);
  }
  EXPECT_GE(low, 800ms);
  EXPECT_LE(high, 1200ms);
  EXPECT_LT(low, 850ms);
  EXPECT_GT(high, 1150ms);
}

TEST(RestartPolicy, GivesUpAtTheSixthEndWithinAMinute) {
  RestartPolicy policy;
  for (int i = 0; i < 5; ++i) {
    policy.OnStarted(At(i * 10s));
    EXPECT_TRUE(policy.OnEnded(At(i * 10s + 1s))) << i;
  }
  policy.OnStarted(At(50s));
  EXPECT_FALSE(policy.OnEnded(At(51s)));
  EXPECT_TRUE(policy.given_up());
  EXPECT_FALSE(policy.OnEnded(At(10min))) << "for good";
  policy.Reset();
  EXPECT_TRUE(policy.OnEnded(At(10min)));
}

TEST(RestartPolicy, RareEndsNeverExhaustIt) {
  RestartPolicy policy({.jitter = 0, .seed = 1});
  for (int i = 0; i < 50; ++i) {
    policy.OnStarted(At(i * 13s));
    EXPECT_TRUE(policy.OnEnded(At(i * 13s + 12s))) << i;
  }
}

TEST(RestartPolicy, AHealthyRunForgetsThePast) {
  RestartPolicy policy({.jitter = 0, .seed = 1});
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(policy.OnEnded(At(0ms)));
  policy.OnStarted(At(1s));
  EXPECT_EQ(policy.OnEnded(At(1s + 60s)), 0ms);
  EXPECT_EQ(policy.restarts(), 1u);
}

TEST(RestartPolicy, ARunJustShortOfHealthyDoesNot) {
  RestartPolicy policy({.jitter = 0, .seed = 1});
  policy.OnStarted(At(0ms));
  EXPECT_EQ(policy.OnEnded(At(0ms)), 0ms);
  policy.OnStarted(At(0ms));
  EXPECT_TRUE(policy.OnEnded(At(59'999ms)));
  EXPECT_EQ(policy.OnEnded(At(59'999ms)), 500ms);
}

TEST(RestartPolicy, WhatRanForLongerThanItsPauseIsStartedAtOnce) {
  RestartPolicy policy({.jitter = 0, .seed = 1});
  policy.OnStarted(At(0s));
  EXPECT_EQ(policy.OnEnded(At(10ms)), 0ms);
  policy.OnStarted(At(10ms));
  EXPECT_EQ(policy.OnEnded(At(110ms)), 150ms) << "250 ms from the start";
  policy.OnStarted(At(260ms));
  EXPECT_EQ(policy.OnEnded(At(10s)), 0ms);
}

}  // namespace
}  // namespace framelock::process
