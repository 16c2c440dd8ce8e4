// SPDX-License-Identifier: Apache-2.0
// What a line publishes, and when, for a live source and workers of all speeds.
#include <gtest/gtest.h>

#include <chrono>
#include <utility>
#include <vector>

#include "tests/unit/plugins/cadence_simulation.h"

namespace framelock::plugins {
namespace {

using namespace std::chrono_literals;
using Duration = std::chrono::nanoseconds;
using Kind = LineOutput::Kind;

constexpr Duration kPauseAt = 60s;
constexpr Duration kWarm = 2s;

// As NoisyWorker, and the first frame after 60 s takes half a second longer.
auto PausingWorker(double fps, unsigned seed) {
  return [worker = NoisyWorker(fps, seed), paused = false](Duration begun) mutable {
    const Duration takes = worker(begun);
    if (begun < kPauseAt || std::exchange(paused, true)) return takes;
    return takes + 500ms;
  };
}

Duration Percentile(std::vector<Duration> values, double percent) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(percent / 100 * static_cast<double>(values.size() - 1))];
}

struct Case {
  double worker_fps;
  double published_fps;
  double jitter;
  unsigned seed;
  Duration arrival_noise;
};
void PrintTo(const Case& c, std::ostream* stream) {
  *stream << c.worker_fps << " fps, seed " << c.seed;
}

class SteadyUnderOverload : public testing::TestWithParam<Case> {};

TEST_P(SteadyUnderOverload, IsEvenAtTheHighestRate) {
  const Case& c = GetParam();
  CadenceSimulation simulation({.line = {.cadence = Cadence::kSteady},
                                .arrival_noise = c.arrival_noise,
                                .service = PausingWorker(c.worker_fps, c.seed),
                                .seed = c.seed});
  simulation.RunFor(120s);

  std::vector<Duration> pts_intervals;
  std::vector<Duration> intervals;
  std::vector<Duration> ages;
  const CadenceSimulation::Published* before = nullptr;
  for (const auto& frame : simulation.published()) {
    if (frame.at < kWarm) continue;
    const bool paused = frame.at > kPauseAt && frame.at < kPauseAt + 1s;
    if (before != nullptr && !paused) {
      ASSERT_EQ(frame.kind, Kind::kResult);
      pts_intervals.push_back(frame.pts - before->pts);
      intervals.push_back(frame.at - before->at);
      ages.push_back(frame.age);
    }
    before = paused ? nullptr : &frame;
  }
  const Spread pts = SpreadOf(pts_intervals);
  const Spread arrival = SpreadOf(intervals);
  EXPECT_NEAR(1e3 / pts.mean_ms, c.published_fps, 0.01);
  EXPECT_LE(pts.jitter, c.jitter);
  EXPECT_LE(arrival.jitter, c.jitter);
  EXPECT_LE(arrival.longest_ms, 1.5 * pts.mean_ms) << "a stall";
  EXPECT_LE(simulation.most_waiting(), 2U);
  EXPECT_LE(Percentile(ages, 99), Percentile(simulation.services(), 99) + 2 * 33'333'333ns);
}

std::vector<Case> Cases() {
  std::vector<Case> cases;
  for (unsigned seed = 1; seed <= 4; ++seed) {
    const Duration noise = seed % 2 * 2ms;
    cases.push_back({45, 30, 0.01, seed, noise});
    cases.push_back({30, 15, 0.06, seed, noise});
    cases.push_back({25, 15, 0.06, seed, noise});
    cases.push_back({20, 15, 0.06, seed, noise});
    cases.push_back({12, 10, 0.06, seed, noise});
  }
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Workers, SteadyUnderOverload, testing::ValuesIn(Cases()));

using Frames = std::vector<CadenceSimulation::Published>;

// Those that were published in this time.
Frames Between(const CadenceSimulation& simulation, Duration from, Duration to) {
  Frames frames;
  for (const auto& frame : simulation.published()) {
    if (frame.at >= from && frame.at < to) frames.push_back(frame);
  }
  return frames;
}

std::size_t Count(const Frames& frames, Kind kind) {
  return static_cast<std::size_t>(std::count_if(
      frames.begin(), frames.end(), [kind](const auto& frame) { return frame.kind == kind; }));
}

Spread Arrivals(const Frames& frames) {
  std::vector<Duration> intervals;
  for (std::size_t i = 1; i < frames.size(); ++i) {
    intervals.push_back(frames[i].at - frames[i - 1].at);
  }
  return SpreadOf(intervals);
}

std::vector<Duration> Ages(const Frames& frames) {
  std::vector<Duration> ages;
  for (const auto& frame : frames) ages.push_back(frame.age);
  return ages;
}

TEST(SteadyCadence, AdaptsWithinTwoSecondsBothWays) {
  CadenceSimulation simulation({.service = NoisyWorker(45)});
  double expected = 30;
  for (int turn = 0; turn < 4; ++turn) {
    simulation.RunFor(2s);
    const Duration settled = simulation.now();
    simulation.RunFor(8s);
    const Frames frames = Between(simulation, settled, simulation.now());
    EXPECT_NEAR(static_cast<double>(frames.size()) / 8, expected, 0.4) << "turn " << turn;
    expected = expected == 30 ? 10 : 30;
    simulation.set_service(NoisyWorker(expected == 30 ? 45 : 12));
  }
}

// Just fast enough, and just not: five minutes of each, and the rate stays where it is.
TEST(SteadyCadence, DoesNotSwingWhereTheWorkerIsAtItsLimit) {
  for (const double fps : {31.0, 33.0, 35.0, 11.0}) {
    CadenceSimulation simulation({.service = NoisyWorker(fps)});
    simulation.RunFor(5min);
    int changes = 0;
    Duration last{};
    const CadenceSimulation::Published* before = nullptr;
    for (const auto& frame : simulation.published()) {
      if (before != nullptr) {
        const Duration interval = frame.pts - before->pts;
        if (interval != last) ++changes;
        last = interval;
      }
      before = &frame;
    }
    EXPECT_LE(changes, 6) << fps << " fps";
  }
}

TEST(SteadyCadence, AFastWorkerAddsNextToNothing) {
  CadenceSimulation simulation({.arrival_noise = 300us, .service = NoisyWorker(3000)});
  simulation.RunFor(60s);
  const Frames frames = Between(simulation, 2s, 60s);
  EXPECT_EQ(Count(frames, Kind::kResult), frames.size());
  EXPECT_LT(Percentile(Ages(frames), 50), 1ms);
  EXPECT_LT(Arrivals(frames).jitter, 0.01);
}

TEST(SteadyCadence, AFixedLatencyIsKept) {
  CadenceSimulation simulation({.line = {.latency = 30ms}, .service = NoisyWorker(60)});
  simulation.RunFor(30s);
  const Frames frames = Between(simulation, 0s, 30s);
  EXPECT_EQ(Percentile(Ages(frames), 0), 30ms);
  EXPECT_EQ(Percentile(Ages(frames), 100), 30ms);
}

// More than the room for it: one finished frame is held, and no more.
TEST(SteadyCadence, AFixedLatencyKeepsNoQueue) {
  CadenceSimulation simulation({.line = {.latency = 1s}, .service = NoisyWorker(60)});
  simulation.RunFor(30s);
  EXPECT_LE(simulation.most_waiting(), 2U);
  EXPECT_LT(Percentile(Ages(Between(simulation, 0s, 30s)), 100), 70ms);
}

TEST(SteadyCadence, AWorkerThatStopsIsPassedAtTheInputsPace) {
  CadenceSimulation simulation({.service = NoisyWorker(12)});
  simulation.RunFor(10s);
  ASSERT_EQ(simulation.line().pace().divisor(), 3U);
  simulation.set_service([](Duration) { return 20s; });
  simulation.RunFor(10s);
  const Frames frames = Between(simulation, 11s, 20s);
  EXPECT_EQ(Count(frames, Kind::kPassthrough), frames.size());
  EXPECT_NEAR(static_cast<double>(frames.size()), 270, 3);
  EXPECT_LT(Arrivals(frames).longest_ms, 50);
}

TEST(SteadyCadence, ANewInputRateIsFollowed) {
  CadenceSimulation simulation({.service = NoisyWorker(45)});
  simulation.RunFor(10s);
  simulation.set_interval(16'666'667ns);
  simulation.RunFor(10s);
  const Frames frames = Between(simulation, 12s, 20s);
  EXPECT_NEAR(static_cast<double>(frames.size()) / 8, 30, 0.4);
  EXPECT_LT(Arrivals(frames).jitter, 0.01);
}

class EveryUnderOverload : public testing::TestWithParam<double> {};

TEST_P(EveryUnderOverload, HasOneOutputForEachInputAtTheInputsPace) {
  CadenceSimulation simulation(
      {.line = {.cadence = Cadence::kEvery}, .service = PausingWorker(GetParam(), 3)});
  simulation.RunFor(120s);
  const auto& all = simulation.published();
  for (std::size_t i = 0; i < all.size(); ++i) ASSERT_EQ(all[i].sequence, i + 1);
  const Account account = simulation.line().account();
  EXPECT_LE(account.inputs - all.size(), 8U);
  EXPECT_LE(simulation.line().frames(), 8U);
  for (const auto& frames :
       {Between(simulation, kWarm, kPauseAt), Between(simulation, kPauseAt + 1s, 120s)}) {
    const Spread arrivals = Arrivals(frames);
    EXPECT_LE(arrivals.jitter, 0.06);
    EXPECT_LE(arrivals.longest_ms, 50);
    // Little of the worker's time is wasted on results that come too late.
    EXPECT_GE(static_cast<double>(Count(frames, Kind::kResult)),
              std::min(30.0, GetParam()) * 0.85 * static_cast<double>(frames.size()) / 30);
  }
  EXPECT_LE(Percentile(Ages(all), 99), Percentile(simulation.services(), 99) + 2 * 33'333'333ns);
}

INSTANTIATE_TEST_SUITE_P(Workers, EveryUnderOverload, testing::Values(45, 30, 25, 20, 12));

// No place waits so long, but what is there at last is shown in the next ones.
TEST(EveryCadence, RepeatsTheNewestOfAWorkerThatIsFarTooSlow) {
  CadenceSimulation simulation(
      {.line = {.on_missing = OnMissing::kRepeat, .cadence = Cadence::kEvery, .max_places = 8},
       .service = [](Duration) { return 1s; }});
  simulation.RunFor(30s);
  const Frames frames = Between(simulation, 5s, 30s);
  EXPECT_NEAR(static_cast<double>(frames.size()), 750, 10);
  EXPECT_EQ(Count(frames, Kind::kPassthrough), 0U);
  EXPECT_LE(simulation.line().frames(), 9U);
  EXPECT_GT(simulation.line().counters().late, 20U);
}

TEST(EveryCadence, WithGapOnlyResultsAreLeft) {
  CadenceSimulation simulation({.line = {.on_missing = OnMissing::kGap, .cadence = Cadence::kEvery},
                                .service = NoisyWorker(12)});
  simulation.RunFor(30s);
  const Frames frames = Between(simulation, 0s, 30s);
  EXPECT_EQ(Count(frames, Kind::kResult), frames.size());
  EXPECT_GT(frames.size(), 300U);
}

TEST(EveryCadence, WithoutAWorkerTheSourcePassesAtItsPace) {
  CadenceSimulation simulation({.line = {.cadence = Cadence::kEvery}, .service = NoisyWorker(45)});
  simulation.line().SetWorker(FrameLine::Worker::kAbsent);
  simulation.RunFor(10s);
  const Frames frames = Between(simulation, 1s, 10s);
  EXPECT_EQ(Count(frames, Kind::kPassthrough), frames.size());
  EXPECT_NEAR(static_cast<double>(frames.size()), 270, 2);
  EXPECT_LT(Arrivals(frames).jitter, 0.01);
}

TEST(AsReadyCadence, PublishesResultsWhenTheyAreThere) {
  CadenceSimulation simulation(
      {.line = {.cadence = Cadence::kAsReady}, .service = NoisyWorker(20)});
  simulation.RunFor(60s);
  const Frames frames = Between(simulation, 1s, 60s);
  EXPECT_EQ(Count(frames, Kind::kResult), frames.size());
  // The worker never rests, and no frame is held.
  EXPECT_NEAR(static_cast<double>(frames.size()) / 59, 20, 0.4);
  EXPECT_LE(Percentile(Ages(frames), 100), 65ms + 34ms);
  EXPECT_LE(simulation.most_waiting(), 1U);
}

}  // namespace
}  // namespace framelock::plugins
