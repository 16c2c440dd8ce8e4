// SPDX-License-Identifier: Apache-2.0
// When an encoded frame leaves, for sources, workers and encoders with noise of their own.
#include "pipeline/stream/output_pace.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <thread>
#include <vector>

#include "pipeline/stream/running_time.h"

namespace framelock::stream {
namespace {

using namespace std::chrono_literals;
using Time = OutputPace::Time;

constexpr SteadyTime kStart{1h};
constexpr Time kInterval = 33'333'333ns;

class OutputPaceTest : public testing::Test {
 protected:
  struct Takes {
    Time arrival, service, encoder;
  };

  // One frame from its arrival to when it leaves.
  void Pass(const Takes& takes) {
    const Time frame = 5s + number_ * kInterval;
    const SteadyTime arrives = kStart + number_ * kInterval + takes.arrival;
    pace_.OnArrived(frame, arrives);
    pace_.OnMade(frame, arrives + takes.service);
    const SteadyTime encoded = arrives + takes.service + takes.encoder;
    pace_.OnEncoded(frame + kSameFrame / 2, encoded);
    left_.push_back(std::max(encoded, pace_.Due(frame).value_or(encoded)));
    delays_.push_back(left_.back() - arrives);
    ++number_;
  }
  Time Random(Time low, Time high) {
    return low + Time(static_cast<Time::rep>(random_()) % ((high - low).count() + 1));
  }
  // The standard deviation of the last intervals over their mean.
  [[nodiscard]] double Jitter(std::size_t count) const {
    double squares = 0;
    for (std::size_t i = left_.size() - count; i < left_.size(); ++i) {
      const double off = static_cast<double>((left_[i] - left_[i - 1] - kInterval).count());
      squares += off * off;
    }
    return std::sqrt(squares / static_cast<double>(count)) / static_cast<double>(kInterval.count());
  }

  OutputPace pace_{std::nullopt};
  std::vector<SteadyTime> left_;
  std::vector<Time> delays_;
  std::minstd_rand random_{5};
  int number_ = 0;
};

TEST_F(OutputPaceTest, HidesTheNoiseOfAWorkerAndOfAnEncoder) {
  for (int i = 0; i < 600; ++i) {
    const Time key_frame = i % 60 == 0 ? 4ms : 0ms;
    Pass({Random(0ms, 1ms), Random(15'555us, 28'888us), Random(3ms, 4ms) + key_frame});
  }
  EXPECT_LE(Jitter(450), 0.01);
}

TEST_F(OutputPaceTest, AFastWorkersFramesHardlyWait) {
  for (int i = 0; i < 600; ++i) {
    const Time key_frame = i % 30 == 0 ? 12ms : 0ms;
    Pass({Random(0ms, 4ms), Random(800us, 1ms), Random(3ms, 5ms) + key_frame});
  }
  std::sort(delays_.begin() + 150, delays_.end());
  EXPECT_LE(delays_[375], 1ms + 5ms + 4ms);
}

TEST_F(OutputPaceTest, WhatTheBacklogOfTheStartTookIsForgottenSoon) {
  const auto starts = [this] {
    for (int i = 0; i < 45; ++i) Pass({Random(0ms, 2ms), Random(1ms, 30ms), Random(15ms, 60ms)});
    for (int i = 0; i < 20; ++i) Pass({Random(0ms, 1ms), 1ms, Random(3ms, 4ms)});
    for (int i = 0; i < 60; ++i) {
      Pass({Random(0ms, 1ms), 1ms, Random(3ms, 4ms)});
      EXPECT_LE(delays_.back(), 8ms);
    }
  };
  starts();
  number_ += 60;  // the input was away
  starts();
}

TEST_F(OutputPaceTest, ASlowInputIsNoGap) {
  constexpr Time kSecond = 1s;
  int held = 0;
  for (int i = 0; i < 60; ++i) {
    const Time frame = 5s + i * kSecond;
    const SteadyTime arrives = kStart + i * kSecond;
    const SteadyTime made = arrives + Random(500ms, 700ms);
    pace_.OnArrived(frame, arrives);
    pace_.OnMade(frame, made);
    pace_.OnEncoded(frame, made + 4ms);
    held += pace_.Due(frame).value_or(kStart) > made + 4ms ? 1 : 0;
  }
  EXPECT_GT(held, 30);
}

TEST_F(OutputPaceTest, WhatItHasNotSeenComeInLeavesAtOnce) {
  for (int i = 0; i < 60; ++i) Pass({0ms, Random(1ms, 20ms), 3ms});
  pace_.OnEncoded(1h, kStart + 10s);
  EXPECT_FALSE(pace_.Due(1h));
  pace_.Await(1h);
}

TEST_F(OutputPaceTest, AGivenLatencyIsKept) {
  OutputPace pace(30ms);
  for (int i = 0; i < 20; ++i) {
    const Time frame = i * kInterval;
    pace.OnArrived(frame, kStart + frame);
    pace.OnMade(frame, kStart + frame + 2ms);
    pace.OnEncoded(frame, kStart + frame + 5ms);
    EXPECT_EQ(pace.Due(frame), kStart + frame + 30ms);
  }
}

TEST_F(OutputPaceTest, AnotherGraphsFramesAreNotHeldByWhatTheLastOneTook) {
  for (int i = 0; i < 300; ++i) Pass({0ms, Random(15ms, 28ms), 3ms});
  EXPECT_GE(pace_.budget(), 25ms);
  pace_.Forget();
  for (int i = 0; i < 30; ++i) Pass({0ms, Random(800us, 1ms), 3ms});
  EXPECT_LE(pace_.budget(), 8ms);
}

TEST_F(OutputPaceTest, AFrameThatTakesSecondsIsHeldAsWell) {
  OutputPace pace(2s);
  for (int i = 0; i < 100; ++i) pace.OnArrived(i * 16ms, kStart + i * 16ms);
  pace.OnMade(0ms, kStart + 1600ms);
  pace.OnEncoded(0ms, kStart + 1600ms);
  EXPECT_EQ(pace.Due(0ms), kStart + 1700ms);
}

TEST_F(OutputPaceTest, MoreLatencyThanThereIsRoomForHoldsNoFrameForLongerThanAnInterval) {
  OutputPace pace(10s);
  for (int i = 0; i < 60; ++i) {
    const Time frame = i * kInterval;
    const SteadyTime encoded = kStart + frame + 5ms;
    pace.OnArrived(frame, kStart + frame);
    pace.OnMade(frame, kStart + frame + 2ms);
    if (i == 30) pace.Forget();  // a new prompt, say
    pace.OnEncoded(frame, encoded);
    ASSERT_TRUE(pace.Due(frame));
    EXPECT_LE(*pace.Due(frame) - encoded, i == 0 ? 100ms : kInterval) << i;
    EXPECT_GE(*pace.Due(frame) - encoded, 30ms) << i << ": as long as it can be";
  }
}

// Of a worker that makes a frame an hour, so that each waits for long.
class SlowPace {
 public:
  SlowPace() {
    for (int i = 0; i < 10; ++i) {
      last_ = i * 1h;
      pace_.OnArrived(last_, now_);
      pace_.OnMade(last_, now_);
      pace_.OnEncoded(last_, now_);
    }
    EXPECT_GE(pace_.Due(last_), now_ + 30min);
  }
  OutputPace pace_{1h};
  const SteadyTime now_ = Clock::System().Now();
  Time last_{};
};

TEST_F(OutputPaceTest, StopEndsTheWait) {
  SlowPace slow;
  std::jthread waiter([&] { slow.pace_.Await(slow.last_); });
  slow.pace_.Stop();
}

TEST_F(OutputPaceTest, AnotherGraphEndsALongWait) {
  SlowPace slow;
  std::jthread waiter([&] { slow.pace_.Await(slow.last_); });
  slow.pace_.Forget();
  EXPECT_LE(slow.pace_.Due(slow.last_), Clock::System().Now() + 100ms);
}

TEST_F(OutputPaceTest, ASourceThatBeginsAnotherEpochIsHeldNoLonger) {
  for (int i = 0; i < 60; ++i) Pass({0ms, Random(1ms, 20ms), 3ms});
  const Time before = pace_.budget();
  number_ += 108'000;  // an hour on
  Pass({0ms - 108'000 * kInterval, 2ms, 3ms});
  EXPECT_LE(delays_.back(), before + kInterval);
}

}  // namespace
}  // namespace framelock::stream
