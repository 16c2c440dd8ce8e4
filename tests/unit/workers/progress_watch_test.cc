// SPDX-License-Identifier: Apache-2.0
#include "workers/host/progress_watch.h"

#include <gtest/gtest.h>

namespace framelock::host {
namespace {

using namespace std::chrono_literals;

SteadyTime At(std::chrono::nanoseconds offset) { return SteadyTime{} + 1h + offset; }
constexpr auto kBeating = 50ms;

TEST(ProgressWatch, AnIdleWorkerIsFine) {
  const ProgressWatch watch;
  EXPECT_EQ(watch.Judge(At(1000h), kBeating), Verdict::kFine);
  EXPECT_EQ(watch.Judge(At(0s), std::nullopt), Verdict::kFine);
}

TEST(ProgressWatch, AStandingHeartbeatIsNot) {
  ProgressWatch watch;
  EXPECT_EQ(watch.Judge(At(0s), 749ms), Verdict::kFine);
  EXPECT_EQ(watch.Judge(At(0s), 750ms), Verdict::kHeartbeatStale);
  watch.OnLoadingStarted(At(0s));
  EXPECT_EQ(watch.Judge(At(1s), 750ms), Verdict::kHeartbeatStale) << "not even while loading";
}

TEST(ProgressWatch, TheFirstFrameHasASecond) {
  ProgressWatch watch;
  watch.OnSubmitted({1}, At(0s));
  EXPECT_EQ(watch.Judge(At(999ms), kBeating), Verdict::kFine);
  EXPECT_EQ(watch.Judge(At(1s), kBeating), Verdict::kFrameOverdue);
}

TEST(ProgressWatch, ASlowButSteadyWorkerIsNeverJudgedHung) {
  ProgressWatch watch;
  auto now = At(0s);
  for (std::uint64_t i = 1; i <= 700; ++i) {  // ten minutes
    watch.OnSubmitted({i}, now);
    for (auto within = 0ms; within < 900ms; within += 100ms) {
      ASSERT_EQ(watch.Judge(now + within, kBeating), Verdict::kFine);
    }
    now += 900ms;
    watch.OnCompleted({i}, now);
  }
  EXPECT_EQ(watch.FrameDeadline(), 7200ms);
}

TEST(ProgressWatch, TheDeadlineFollowsThePercentile) {
  ProgressWatch watch;
  auto now = At(0s);
  for (std::uint64_t i = 1; i <= 100; ++i) {
    watch.OnSubmitted({i}, now);
    now += i <= 94 ? 10ms : 400ms;
    watch.OnCompleted({i}, now);
  }
  EXPECT_EQ(watch.FrameDeadline(), 3200ms);
  watch.OnSubmitted({101}, now);
  EXPECT_EQ(watch.Judge(now + 3199ms, kBeating), Verdict::kFine);
  EXPECT_EQ(watch.Judge(now + 3200ms, kBeating), Verdict::kFrameOverdue);
}

TEST(ProgressWatch, WaitingBehindOthersMakesNobodyLate) {
  ProgressWatch watch;
  for (std::uint64_t i = 1; i <= 8; ++i) watch.OnSubmitted({i}, At(0s));
  for (std::uint64_t i = 1; i <= 8; ++i) {
    EXPECT_EQ(watch.Judge(At(i * 800ms - 1ms), kBeating), Verdict::kFine) << i;
    watch.OnCompleted({i}, At(i * 800ms));
  }
  EXPECT_EQ(watch.FrameDeadline(), 6400ms) << "service time, not waiting time";
}

TEST(ProgressWatch, LoadingHasADeadlineOfItsOwn) {
  ProgressWatch watch;
  watch.OnSubmitted({1}, At(0s));
  watch.OnLoadingStarted(At(0s));
  EXPECT_EQ(watch.Judge(At(179s), kBeating), Verdict::kFine) << "the frame waits behind it";
  EXPECT_EQ(watch.Judge(At(180s), kBeating), Verdict::kLoadingOverdue);
  watch.OnLoadingEnded(At(179s));
  EXPECT_EQ(watch.Judge(At(179s + 999ms), kBeating), Verdict::kFine);
  EXPECT_EQ(watch.Judge(At(180s), kBeating), Verdict::kFrameOverdue);
}

TEST(ProgressWatch, TwoThingsMayLoadAtOnce) {
  ProgressWatch watch;
  watch.OnLoadingStarted(At(0s));
  watch.OnLoadingStarted(At(100s));
  watch.OnLoadingEnded(At(170s));
  EXPECT_EQ(watch.Judge(At(200s), kBeating), Verdict::kFine) << "the second starts then";
  EXPECT_EQ(watch.Judge(At(350s), kBeating), Verdict::kLoadingOverdue);
}

TEST(ProgressWatch, AFreshWorkerStartsClean) {
  ProgressWatch watch;
  watch.OnSubmitted({1}, At(0s));
  watch.OnLoadingStarted(At(0s));
  watch.Reset();
  EXPECT_EQ(watch.Judge(At(1h), kBeating), Verdict::kFine);
  watch.OnCompleted({1}, At(1h));
  EXPECT_EQ(watch.FrameDeadline(), 1s) << "the old worker's frame counts for nothing";
}

}  // namespace
}  // namespace framelock::host
