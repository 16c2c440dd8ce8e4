// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "pipeline/core/drop_counter.h"
#include "pipeline/core/latency_window.h"
#include "pipeline/core/rate_meter.h"

namespace framelock {
namespace {

using std::chrono::milliseconds;

TEST(LatencyWindow, PercentilesByNearestRank) {
  LatencyWindow window(100);
  EXPECT_EQ(window.Percentile(50), milliseconds(0));
  for (int i = 100; i >= 1; --i) window.Add(milliseconds(i));
  EXPECT_EQ(window.Percentile(50), milliseconds(50));
  EXPECT_EQ(window.Percentile(99), milliseconds(99));
  EXPECT_EQ(window.Percentile(100), milliseconds(100));
  EXPECT_EQ(window.Percentile(0), milliseconds(1));
}

TEST(LatencyWindow, ForgetsTheOldest) {
  LatencyWindow window(4);
  for (const int i : {1000, 1000, 1, 2, 3, 4}) window.Add(milliseconds(i));
  EXPECT_EQ(window.size(), 4u);
  EXPECT_EQ(window.Percentile(100), milliseconds(4));
}

TEST(RateMeter, CountsIntervalsInsideTheWindow) {
  RateMeter meter(std::chrono::seconds(2));
  SteadyTime now{};
  for (int i = 0; i < 90; ++i) meter.Tick(now += milliseconds(20));
  EXPECT_NEAR(meter.PerSecond(now), 50.0, 0.01);
  EXPECT_EQ(meter.PerSecond(now + std::chrono::seconds(3)), 0.0);
}

TEST(DropCounter, LogsAtMostOncePerIntervalWithTheNumber) {
  DropCounter drops(std::chrono::seconds(1));
  SteadyTime now{};
  EXPECT_EQ(drops.Add(now), 1u);
  EXPECT_EQ(drops.Add(now + milliseconds(500)), std::nullopt);
  EXPECT_EQ(drops.Add(now + milliseconds(1001)), 2u);
  EXPECT_EQ(drops.total(), 3u);
}

}  // namespace
}  // namespace framelock
