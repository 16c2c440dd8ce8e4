// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stream/departures.h"

#include <gtest/gtest.h>

#include <future>

namespace framelock::stream {
namespace {

using namespace std::chrono_literals;

constexpr auto kEver = 60'000ms;
constexpr SteadyTime kLongAgo{};

bool Waits(const std::future<void>& call) {
  return call.wait_for(0ms) == std::future_status::timeout;
}

TEST(Departures, WhereNothingWasMadeNothingIsWaitedFor) {
  Departures departures({.publish_lag = kEver, .most = kEver});
  departures.Await();
}

TEST(Departures, WhatWasMadeBeforeIsWaitedFor) {
  Departures departures({.publish_lag = 0ms, .most = kEver});
  departures.OnMade(1s);
  departures.OnMade(2s);
  departures.OnLeft(1s, kLongAgo);
  const auto call = std::async(std::launch::async, [&] { departures.Await(); });
  EXPECT_TRUE(Waits(call));
  departures.OnLeft(2s - 10us, kLongAgo);  // the encoder's time is a little off
  call.wait();
  departures.Await();
}

TEST(Departures, WhatHasJustLeftIsNotReadYet) {
  Departures departures({.publish_lag = kEver, .most = kEver});
  departures.OnMade(1s);
  departures.OnLeft(1s, Clock::System().Now());
  const auto call = std::async(std::launch::async, [&] { departures.Await(); });
  EXPECT_TRUE(Waits(call));
  departures.Stop();
  call.wait();
}

TEST(Departures, AStopEndsTheWaiting) {
  Departures departures({.publish_lag = 0ms, .most = kEver});
  departures.OnMade(1s);
  const auto call = std::async(std::launch::async, [&] { departures.Await(); });
  EXPECT_TRUE(Waits(call));
  departures.Stop();
  call.wait();
}

TEST(Departures, AFrameThatNeverLeavesIsNotWaitedForForEver) {
  Departures departures({.publish_lag = 0ms, .most = 1ms});
  departures.OnMade(1s);
  departures.Await();
}

}  // namespace
}  // namespace framelock::stream
