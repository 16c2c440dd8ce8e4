// SPDX-License-Identifier: Apache-2.0
#include "workers/nodes/fault/service_times.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace framelock::nodes {
namespace {

std::vector<double> Milliseconds(const ServiceTimes::Options& options, int frames) {
  ServiceTimes times(options);
  std::vector<double> all;
  for (int i = 0; i < frames; ++i) all.push_back(times.Next().count() * 1e3);
  return all;
}

constexpr ServiceTimes::Seconds kForty{0.040};

TEST(ServiceTimes, SpreadAroundTheMeanWithinTheNoise) {
  const auto all = Milliseconds({.mean = kForty, .noise = 0.3, .seed = 7}, 10'000);
  double sum = 0;
  for (const double time : all) sum += time;
  EXPECT_NEAR(sum / 10'000, 40.0, 0.2);
  EXPECT_NEAR(*std::min_element(all.begin(), all.end()), 28.0, 0.1);
  EXPECT_NEAR(*std::max_element(all.begin(), all.end()), 52.0, 0.1);
}

TEST(ServiceTimes, ASeedGivesTheSameTimesAgain) {
  const ServiceTimes::Options options{.mean = kForty, .noise = 0.3, .seed = 7};
  EXPECT_EQ(Milliseconds(options, 100), Milliseconds(options, 100));
  EXPECT_NE(Milliseconds(options, 100),
            Milliseconds({.mean = kForty, .noise = 0.3, .seed = 8}, 100));
}

TEST(ServiceTimes, OneFramePauses) {
  const auto all =
      Milliseconds({.mean = kForty, .pause_at = 3, .pause = ServiceTimes::Seconds(0.5)}, 6);
  EXPECT_EQ(all, (std::vector<double>{40, 40, 40, 540, 40, 40}));
}

}  // namespace
}  // namespace framelock::nodes
