// SPDX-License-Identifier: Apache-2.0
#include "workers/host/progress_watch.h"

#include <gtest/gtest.h>

namespace framelock::host {
namespace {

using namespace std::chrono_literals;

SteadyTime At(std::chrono::nanoseconds offset) { return SteadyTime{} + 1h + offset; }
constexpr auto kBeating = 50ms;

// Frames 1 to `count`, each of which takes `each`, one after the other; the last ends at At(0s).
void Compute(ProgressWatch& watch, std::uint64_t count, std::chrono::milliseconds each) {
  for (std::uint64_t i = 1; i <= count; ++i) {
    watch.OnSubmitted({i}, At((i - 1) * each - count * each));
    watch.OnCompleted({i}, At(i * each - count * each));
  }
}

// A frame now has frame_timeout.
ProgressWatch Settled() {
  ProgressWatch watch;
  Compute(watch, 10, 10ms);
  return watch;
}

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

TEST(ProgressWatch, TheFirstFrameHasALimitOfItsOwnAsLongAsTheHeartBeats) {
  ProgressWatch watch;
  watch.OnSubmitted({1}, At(0s));
  EXPECT_EQ(watch.Judge(At(800ms), 750ms), Verdict::kHeartbeatStale);
  EXPECT_EQ(watch.Judge(At(9999ms), kBeating), Verdict::kFine);
  EXPECT_EQ(watch.Judge(At(10s), kBeating), Verdict::kFrameOverdue);
}

TEST(ProgressWatch, AFrameAfterTheFirstFewHasASecond) {
  ProgressWatch watch;
  Compute(watch, ProgressWatch::kFirstFrames, 30ms);
  watch.OnSubmitted({9}, At(1s));
  EXPECT_EQ(watch.Judge(At(1999ms), kBeating), Verdict::kFine);
  EXPECT_EQ(watch.Judge(At(2s), kBeating), Verdict::kFrameOverdue);
}

TEST(ProgressWatch, OneFrameDoesNotTellWhatTheNextMayTake) {
  ProgressWatch watch;
  Compute(watch, 1, 100ms);
  watch.OnSubmitted({2}, At(0s));
  EXPECT_EQ(watch.Judge(At(1200ms), kBeating), Verdict::kFine)
      << "a graph may warm up in its second";
  watch.OnCompleted({2}, At(1200ms));
  EXPECT_EQ(watch.FrameDeadline(), 10s);
  EXPECT_EQ(watch.Explain(Verdict::kFrameOverdue),
            "a frame took more than 10000 ms (first-frame-timeout)");
}

TEST(ProgressWatch, TheFirstFewFramesHaveMoreIfTheyAreKnownToNeedIt) {
  ProgressWatch watch;
  Compute(watch, 1, 3s);
  EXPECT_EQ(watch.FrameDeadline(), 24s);
  EXPECT_EQ(watch.Explain(Verdict::kFrameOverdue),
            "a frame took more than 24000 ms (frame-timeout and its factor)");
}

TEST(ProgressWatch, AWindowOfOneFrameIsFullAfterOne) {
  ProgressWatch watch({.window = 1});
  EXPECT_EQ(watch.FrameDeadline(), 10s);
  Compute(watch, 1, 30ms);
  EXPECT_EQ(watch.FrameDeadline(), 1s);
}

TEST(ProgressWatch, AGraphOfSecondsAFrameIsFine) {
  ProgressWatch watch;
  for (std::uint64_t i = 0; i < 5; ++i) {
    watch.OnSubmitted({i}, At(i * 9s));
    ASSERT_EQ(watch.Judge(At(i * 9s + 8999ms), kBeating), Verdict::kFine) << i;
    watch.OnCompleted({i}, At(i * 9s + 8999ms));
  }
}

TEST(ProgressWatch, AFailedFrameTellsNothingOfWhatAFrameTakes) {
  ProgressWatch watch;
  watch.OnSubmitted({1}, At(0s));
  watch.OnSubmitted({2}, At(0s));
  watch.OnFailed({1}, At(9s));
  watch.OnFailed({7}, At(15s));
  EXPECT_EQ(watch.FrameDeadline(), 10s);
  EXPECT_EQ(watch.Judge(At(18999ms), kBeating), Verdict::kFine) << "it is progress";
  EXPECT_EQ(watch.Judge(At(19s), kBeating), Verdict::kFrameOverdue);
}

TEST(ProgressWatch, AnotherPromptMayTakeAnotherTime) {
  ProgressWatch watch = Settled();
  EXPECT_EQ(watch.FrameDeadline(), 1s);
  watch.OnPromptSent(At(1s));
  watch.OnPromptApplied(At(2s));
  EXPECT_EQ(watch.FrameDeadline(), 10s);
}

TEST(ProgressWatch, ARefusedPromptChangesNothing) {
  ProgressWatch watch = Settled();
  watch.OnPromptSent(At(1s));
  watch.OnPromptRejected(At(2s));
  EXPECT_EQ(watch.FrameDeadline(), 1s);
  EXPECT_EQ(watch.Judge(At(1h), kBeating), Verdict::kFine) << "it was answered";
}

TEST(ProgressWatch, AVerdictIsExplainedByTheOptionThatBoundsIt) {
  ProgressWatch watch;
  EXPECT_EQ(watch.Explain(Verdict::kHeartbeatStale),
            "its heartbeat stood still for 750 ms (heartbeat-timeout)");
  EXPECT_EQ(watch.Explain(Verdict::kLoadingOverdue),
            "a greeting, prompt or format took more than 180000 ms (load-timeout)");
  EXPECT_EQ(watch.Explain(Verdict::kFrameOverdue),
            "the first frame took more than 10000 ms (first-frame-timeout)");
  EXPECT_EQ(ProgressWatch({.first_frame_timeout = 1s}).Explain(Verdict::kFrameOverdue),
            "the first frame took more than 1000 ms (first-frame-timeout)");
  EXPECT_EQ(ProgressWatch({.first_frame_timeout = 500ms}).Explain(Verdict::kFrameOverdue),
            "the first frame took more than 1000 ms (frame-timeout and its factor)");
  Compute(watch, 5, 500ms);
  EXPECT_EQ(watch.Explain(Verdict::kFrameOverdue),
            "a frame took more than 4000 ms (frame-timeout and its factor)");
}

TEST(ProgressWatch, EveryLimitIsAnOption) {
  ProgressWatch watch({.heartbeat_timeout = 300ms,
                       .first_frame_timeout = 4s,
                       .frame_timeout = 2s,
                       .frame_timeout_factor = 3,
                       .load_timeout = 5s});
  EXPECT_EQ(watch.Judge(At(0s), 300ms), Verdict::kHeartbeatStale);
  watch.OnLoadingStarted(At(0s));
  EXPECT_EQ(watch.Judge(At(5s), kBeating), Verdict::kLoadingOverdue);
  watch.OnLoadingEnded(At(5s));
  EXPECT_EQ(watch.FrameDeadline(), 4s);
  for (std::uint64_t i = 1; i <= 5; ++i) {
    EXPECT_EQ(watch.FrameDeadline(), 4s) << i;
    watch.OnSubmitted({i}, At(5s + i * 100ms));
    watch.OnCompleted({i}, At(5s + i * 100ms + 50ms));
  }
  EXPECT_EQ(watch.FrameDeadline(), 2s);
  watch.OnSubmitted({6}, At(7s));
  watch.OnCompleted({6}, At(9s));
  EXPECT_EQ(watch.FrameDeadline(), 6s);
  const ProgressWatch patient({.first_frame_timeout = 4s, .frame_timeout = 20s});
  EXPECT_EQ(patient.FrameDeadline(), 20s) << "the first frame has no less than the others";
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
  EXPECT_EQ(watch.Judge(At(188s + 999ms), kBeating), Verdict::kFine);
  EXPECT_EQ(watch.Judge(At(189s), kBeating), Verdict::kFrameOverdue);
}

TEST(ProgressWatch, TwoThingsMayLoadAtOnce) {
  ProgressWatch watch;
  watch.OnLoadingStarted(At(0s));
  watch.OnLoadingStarted(At(100s));
  watch.OnLoadingEnded(At(170s));
  EXPECT_EQ(watch.Judge(At(200s), kBeating), Verdict::kFine) << "the second starts then";
  EXPECT_EQ(watch.Judge(At(350s), kBeating), Verdict::kLoadingOverdue);
}

TEST(ProgressWatch, AFrameSentBeforeAPromptIsDueAllTheSame) {
  ProgressWatch watch = Settled();
  watch.OnSubmitted({11}, At(0s));
  watch.OnSubmitted({12}, At(50ms));
  watch.OnPromptSent(At(100ms));
  EXPECT_EQ(watch.Judge(At(999ms), kBeating), Verdict::kFine);
  EXPECT_EQ(watch.Judge(At(1s), kBeating), Verdict::kFrameOverdue);
  watch.OnCompleted({11}, At(110ms));
  EXPECT_EQ(watch.Judge(At(1109ms), kBeating), Verdict::kFine) << "12 has its turn since then";
  EXPECT_EQ(watch.Judge(At(1110ms), kBeating), Verdict::kFrameOverdue);
}

TEST(ProgressWatch, APromptHasItsTimeFromTheLastAnswerBeforeIt) {
  ProgressWatch watch = Settled();
  watch.OnSubmitted({11}, At(0s));
  watch.OnPromptSent(At(100ms));
  watch.OnCompleted({11}, At(900ms));
  watch.OnSubmitted({12}, At(1s));
  EXPECT_EQ(watch.Judge(At(180'899ms), kBeating), Verdict::kFine) << "12 waits behind it";
  EXPECT_EQ(watch.Judge(At(180'900ms), kBeating), Verdict::kLoadingOverdue);
}

TEST(ProgressWatch, APromptBehindARegionHasItsTimeFromThere) {
  ProgressWatch watch;
  watch.OnLoadingStarted(At(0s));
  watch.OnPromptSent(At(1s));
  watch.OnLoadingEnded(At(100s));
  EXPECT_EQ(watch.Judge(At(279s), kBeating), Verdict::kFine);
  EXPECT_EQ(watch.Judge(At(280s), kBeating), Verdict::kLoadingOverdue);
}

TEST(ProgressWatch, AFrameBehindAPromptHasItsTimeFromThePromptsAnswer) {
  ProgressWatch watch = Settled();
  watch.OnPromptSent(At(0s));
  watch.OnSubmitted({11}, At(1s));
  EXPECT_EQ(watch.Judge(At(179s), kBeating), Verdict::kFine) << "the worker may do them in order";
  watch.OnPromptRejected(At(179s));
  EXPECT_EQ(watch.Judge(At(179'999ms), kBeating), Verdict::kFine);
  EXPECT_EQ(watch.Judge(At(180s), kBeating), Verdict::kFrameOverdue);
}

TEST(ProgressWatch, AWorkerThatLoadsBesideItsFramesIsJudgedByBoth) {
  ProgressWatch watch = Settled();
  watch.OnPromptSent(At(0s));
  watch.OnSubmitted({11}, At(1s));
  watch.OnCompleted({11}, At(1010ms));  // now it is known
  watch.OnSubmitted({12}, At(2s));
  EXPECT_EQ(watch.Judge(At(2999ms), kBeating), Verdict::kFine);
  EXPECT_EQ(watch.Judge(At(3s), kBeating), Verdict::kFrameOverdue);
  watch.OnCompleted({12}, At(2010ms));
  EXPECT_EQ(watch.Judge(At(179'999ms), kBeating), Verdict::kFine);
  EXPECT_EQ(watch.Judge(At(180s), kBeating), Verdict::kLoadingOverdue) << "frames are no progress";
  watch.OnPromptRejected(At(170s));
  watch.OnPromptSent(At(171s));
  watch.OnSubmitted({13}, At(172s));
  EXPECT_EQ(watch.Judge(At(173s), kBeating), Verdict::kFrameOverdue) << "it stays known";
}

// A frame behind it waits, and has its time from the piece's answer.
TEST(ProgressWatch, AFrameBehindAPieceOfAudioIsNotJudgedByIt) {
  ProgressWatch watch = Settled();
  watch.OnAudioSubmitted(At(1s));
  watch.OnSubmitted({11}, At(1010ms));
  EXPECT_EQ(watch.Judge(At(5s), kBeating), Verdict::kFine);
  watch.OnAudioAnswered(At(5s));
  EXPECT_EQ(watch.Judge(At(5900ms), kBeating), Verdict::kFine);
  EXPECT_EQ(watch.Judge(At(6s), kBeating), Verdict::kFrameOverdue);
}

TEST(ProgressWatch, APieceOfAudioHasADeadlineOfItsOwn) {
  ProgressWatch watch = Settled();
  watch.OnAudioSubmitted(At(1s));
  watch.OnAudioSubmitted(At(2s));
  EXPECT_EQ(watch.Judge(At(10'999ms), kBeating), Verdict::kFine);
  EXPECT_EQ(watch.Judge(At(11s), kBeating), Verdict::kAudioOverdue);
  EXPECT_EQ(watch.Explain(Verdict::kAudioOverdue),
            "a piece of audio took more than 10000 ms (first-frame-timeout)");
  watch.OnAudioAnswered(At(11s));
  EXPECT_EQ(watch.Judge(At(20'999ms), kBeating), Verdict::kFine);
  EXPECT_EQ(watch.Judge(At(21s), kBeating), Verdict::kAudioOverdue);
  watch.OnAudioAnswered(At(21s));
  EXPECT_EQ(watch.Judge(At(99s), kBeating), Verdict::kFine);
}

TEST(ProgressWatch, AFreshWorkerStartsClean) {
  ProgressWatch watch;
  watch.OnSubmitted({1}, At(0s));
  watch.OnLoadingStarted(At(0s));
  watch.OnPromptSent(At(0s));
  watch.Reset();
  EXPECT_EQ(watch.Judge(At(1h), kBeating), Verdict::kFine);
  watch.OnCompleted({1}, At(1h));
  EXPECT_EQ(watch.FrameDeadline(), 10s) << "the old worker's frame counts for nothing";
}

}  // namespace
}  // namespace framelock::host
