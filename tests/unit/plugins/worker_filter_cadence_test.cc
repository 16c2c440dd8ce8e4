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

// A worker with a hitch of so long every so often, first after 5 s.
struct Hitches {
  double worker_fps;
  Duration hitch;
  Duration period;
};
void PrintTo(const Hitches& h, std::ostream* stream) {
  *stream << h.worker_fps << " fps, " << h.hitch / 1ms << " ms every " << h.period / 1ms << " ms";
}

class SteadyWithHitches : public testing::TestWithParam<Hitches> {};

// No rate is even when a hitch is longer than it; a slower one would only be slower.
TEST_P(SteadyWithHitches, StaysAtTheRateOfTheOtherFrames) {
  const Hitches& h = GetParam();
  CadenceSimulation simulation({.service = [&h, worker = NoisyWorker(h.worker_fps),
                                            next = Duration(5s)](Duration begun) mutable {
    const Duration takes = worker(begun);
    if (begun < next) return takes;
    next += h.period;
    return takes + h.hitch;
  }});
  simulation.RunFor(5min);
  const double lost = std::chrono::duration<double>(h.hitch) / h.period;
  for (Duration from = 10s; from < 5min; from += 29s) {
    const Frames frames = Between(simulation, from, from + 29s);
    EXPECT_GE(static_cast<double>(frames.size()) / 29, 30 * (1 - 1.5 * lost) - 0.5) << from / 1s;
  }
}

INSTANTIATE_TEST_SUITE_P(Workers, SteadyWithHitches,
                         testing::Values(Hitches{45, 500ms, 9s}, Hitches{45, 500ms, 12s},
                                         Hitches{100, 80ms, 8s}, Hitches{100, 200ms, 8s},
                                         Hitches{45, 120ms, 3s}, Hitches{100, 200ms, 3s}));

// Results a second in the 8 s from then on.
double RateAfter(const CadenceSimulation& simulation, Duration from) {
  return static_cast<double>(Count(Between(simulation, from, from + 8s), Kind::kResult)) / 8;
}

TEST(SteadyCadence, LongPausesDoNotSlowDownWhatFollows) {
  CadenceSimulation simulation(
      {.service = [worker = NoisyWorker(45), pauses = 0](Duration begun) mutable {
        const Duration takes = worker(begun);
        if (begun < 20s + pauses * 8s || pauses == 2) return takes;
        ++pauses;
        return takes + 3s;
      }});
  std::uint64_t slowest = 1;
  for (int i = 0; i < 450; ++i) {
    simulation.RunFor(100ms);
    slowest = std::max(slowest, simulation.line().pace().divisor());
  }
  EXPECT_LE(slowest, 4U);
  EXPECT_GE(RateAfter(simulation, 33s), 29.5);
}

TEST(SteadyCadence, ASlowSecondFrameDoesNotSlowDownWhatFollows) {
  for (const Duration slow : {300ms, 2000ms}) {
    CadenceSimulation simulation(
        {.service = [worker = NoisyWorker(100), slow, count = 0](Duration begun) mutable {
          return worker(begun) + (++count == 2 ? slow : 0ms);
        }});
    simulation.RunFor(12s);
    EXPECT_GE(RateAfter(simulation, slow + 1s), 29.5) << slow / 1ms;
  }
}

// From any rate, and whether or not it is said that the graph is another one.
TEST(SteadyCadence, AVerySlowWorkerThatBecomesFastIsFollowed) {
  for (const double slow : {3.0, 2.0, 1.0}) {
    for (const bool told : {false, true}) {
      CadenceSimulation simulation({.service = NoisyWorker(slow)});
      simulation.RunFor(30s);
      if (told) simulation.line().ChangeGraph(SteadyTime(1h) + simulation.now());
      simulation.set_service(NoisyWorker(60));
      const Duration changed = simulation.now();
      simulation.RunFor(15s);
      // The slow frame that is under way, two fast ones, and a second more.
      const Duration most = Duration(std::int64_t(3.3e9 / slow)) + 1s;
      EXPECT_GE(RateAfter(simulation, changed + most), 29.5) << slow << (told ? " told" : "");
      const Frames frames = Between(simulation, changed + most + 1s, changed + 14s);
      EXPECT_LE(Arrivals(frames).jitter, 0.06) << slow << (told ? " told" : "");
    }
  }
}

// Nothing of a worker that is gone is held against the next one.
TEST(SteadyCadence, AnotherWorkerBeginsAnew) {
  CadenceSimulation simulation({.service = NoisyWorker(1)});
  simulation.RunFor(30s);
  ASSERT_GE(simulation.line().pace().divisor(), 30U);
  simulation.LoseWorker();
  EXPECT_LE(simulation.line().pace().divisor(), 8U);
  simulation.RunFor(1s);
  simulation.set_service(NoisyWorker(100));
  simulation.line().SetWorker(FrameLine::Worker::kReady);
  const Duration changed = simulation.now();
  simulation.RunFor(12s);
  EXPECT_GE(RateAfter(simulation, changed + 1s + 500ms), 29.5);
  EXPECT_LE(Percentile(Ages(Between(simulation, changed + 2s, changed + 10s)), 99), 20ms);
}

// What the worker spared, the output does not show: not even just after the change.
TEST(SteadyCadence, IsEvenSoonAfterTheWorkerSpeedsUp) {
  CadenceSimulation simulation({.service = NoisyWorker(12)});
  simulation.RunFor(20s);
  simulation.set_service(NoisyWorker(45));
  simulation.RunFor(10s);
  const Frames frames = Between(simulation, 22s + 500ms, 30s);
  EXPECT_NEAR(static_cast<double>(frames.size()) / 7.5, 30, 0.4);
  EXPECT_LE(Arrivals(frames).jitter, 0.03);
}

// More latency than there is room for does no harm: the frames are held as long as they can be.
TEST(SteadyCadence, IsEvenWhateverTheLatency) {
  for (const Duration latency : {30ms, 60ms, 100ms, 200ms, 1000ms}) {
    for (const double fps : {45.0, 20.0, 12.0}) {
      CadenceSimulation simulation({.line = {.latency = latency}, .service = NoisyWorker(fps)});
      simulation.RunFor(60s);
      const Frames frames = Between(simulation, 5s, 60s);
      EXPECT_EQ(Count(frames, Kind::kResult), frames.size());
      if (latency < Duration(std::int64_t(1.3e9 / fps))) continue;  // less than a frame takes
      EXPECT_LE(Arrivals(frames).jitter, fps > 30 ? 0.01 : 0.06)
          << latency / 1ms << " ms, " << fps << " fps";
    }
  }
}

// A worker of 33 fps, or of exactly 32 ms, has room for 30: also after it was slower for a while.
TEST(SteadyCadence, ReturnsToARateThatItWouldHaveKept) {
  for (const auto& worker : {NoisyWorker(33, 1, 0.1), NoisyWorker(31.25, 1, 0)}) {
    CadenceSimulation simulation({.service = worker});
    simulation.RunFor(60s);
    EXPECT_EQ(simulation.line().pace().divisor(), 1U);
    simulation.set_service(NoisyWorker(15));
    simulation.RunFor(3s);
    EXPECT_EQ(simulation.line().pace().divisor(), 3U);
    simulation.set_service(worker);
    simulation.RunFor(100s);
    EXPECT_EQ(simulation.line().pace().divisor(), 1U);
  }
}

// How often the interval between published frames changed.
int Changes(const Frames& frames) {
  int changes = 0;
  for (std::size_t i = 2; i < frames.size(); ++i) {
    const Duration before = frames[i - 1].pts - frames[i - 2].pts;
    if (frames[i].pts - frames[i - 1].pts != before) ++changes;
  }
  return changes;
}

// What the worker has in hand and has not begun is no sign of time to spare.
TEST(SteadyCadence, SeveralInFlightAreNoFasterOneByOne) {
  for (const std::size_t in_flight : {2, 4}) {
    for (const double fps : {20.0, 25.0, 28.0, 45.0}) {
      CadenceSimulation simulation(
          {.line = {.max_in_flight = in_flight}, .service = NoisyWorker(fps, 1, 0.1)});
      simulation.RunFor(120s);
      const Frames frames = Between(simulation, 5s, 120s);
      EXPECT_NEAR(static_cast<double>(frames.size()) / 115, fps > 30 ? 30 : 15, 0.1) << fps;
      EXPECT_LE(Changes(frames), 2) << fps;
    }
  }
}

// Nor is what it has in hand beside others: it is judged as if it took them one by one.
TEST(SteadyCadence, TwoAtATimeDoNotSwing) {
  CadenceSimulation simulation(
      {.line = {.max_in_flight = 2}, .abreast = 2, .service = NoisyWorker(20)});
  simulation.RunFor(120s);
  const Frames frames = Between(simulation, 5s, 120s);
  EXPECT_NEAR(static_cast<double>(frames.size()) / 115, 15, 0.1);
  EXPECT_LE(Changes(frames), 2);
}

TEST(SteadyCadence, ASlowFirstFrameDoesNotDelayTheOthers) {
  CadenceSimulation simulation(
      {.service = [worker = NoisyWorker(300), count = 0](Duration begun) mutable {
        return worker(begun) + (++count == 1 ? 300ms : 0ms);
      }});
  simulation.RunFor(4s);
  EXPECT_LE(Percentile(Ages(Between(simulation, 1s, 4s)), 99), 10ms);
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

// There is no place for so long, so nothing is held for what cannot come in time.
TEST(EveryCadence, DoesNotWaitForAWorkerThatIsFarTooSlow) {
  CadenceSimulation simulation({.line = {.cadence = Cadence::kEvery}, .service = NoisyWorker(1)});
  simulation.RunFor(60s);
  const Frames frames = Between(simulation, 20s, 60s);
  EXPECT_NEAR(static_cast<double>(frames.size()), 1200, 3);
  EXPECT_LE(Percentile(Ages(frames), 99), 35ms);
  EXPECT_LE(Arrivals(frames).jitter, 0.06);
  simulation.set_service(NoisyWorker(45));
  simulation.RunFor(10s);
  const Frames fast = Between(simulation, 64s, 70s);
  EXPECT_EQ(Count(fast, Kind::kResult), fast.size());
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
