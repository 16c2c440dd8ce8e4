// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <chrono>

#include "tests/unit/plugins/frame_line_fixture.h"

namespace framelock::plugins {
namespace {

using namespace std::chrono_literals;
using Worker = FrameLine::Worker;
using Answer = FrameLine::Answer;

TEST_F(FrameLineTest, AFrameGoesToTheWorkerAndItsResultLeavesUnderItsOwnNumber) {
  Make({});
  line_->SetWorker(Worker::kReady);
  Enter();
  EXPECT_EQ(Taken(), "");
  EXPECT_EQ(Complete(Submit()), Answer::kInTime);
  EXPECT_EQ(Taken(), "r1");
  EXPECT_EQ(line_->account().completed, 1U);
  EXPECT_EQ(line_->account().open, 0U);
  EXPECT_EQ(cargos_.alive(), 0);
}

TEST_F(FrameLineTest, ATextLeavesWithItsFramesResultOrNotAtAll) {
  Make({});
  line_->SetWorker(Worker::kReady);
  Enter();
  const FrameSequence first = Submit();
  line_->InFlight(first)->texts.emplace_back("one");
  Complete(first);
  const auto result = line_->Take(clock_.Now());
  ASSERT_TRUE(result && result->kind == LineOutput::Kind::kResult);
  EXPECT_EQ(result->frame.texts, std::vector<std::string>{"one"});
  Enter();
  const FrameSequence second = Submit();
  line_->InFlight(second)->texts.emplace_back("two");
  line_->Fail(second, clock_.Now());
  const auto fallback = line_->Take(clock_.Now());
  ASSERT_TRUE(fallback);
  EXPECT_TRUE(fallback->frame.texts.empty());
}

TEST_F(FrameLineTest, AnAnswerToNoQuestionIsRefused) {
  Make({});
  line_->SetWorker(Worker::kReady);
  EXPECT_EQ(Complete(FrameSequence{1}), Answer::kUnknown);
  Enter();
  EXPECT_EQ(Complete(FrameSequence{1}), Answer::kUnknown);  // waits, was never submitted
  const FrameSequence first = Submit();
  EXPECT_EQ(Complete(FrameSequence{7}), Answer::kUnknown);
  EXPECT_EQ(Complete(first), Answer::kInTime);
  EXPECT_EQ(Complete(first), Answer::kUnknown);  // repeated before it left
  EXPECT_EQ(Taken(), "r1");
  EXPECT_EQ(Complete(first), Answer::kUnknown);  // and after
  EXPECT_EQ(line_->Fail(first, clock_.Now()), Answer::kUnknown);
  EXPECT_EQ(line_->account().completed, 1U);
}

TEST_F(FrameLineTest, ResultsLeaveInOrderWhateverTheOrderOfTheAnswers) {
  Make({.max_in_flight = 3});
  line_->SetWorker(Worker::kReady);
  Enter();
  const auto first = Submit();
  Enter();
  const auto second = Submit();
  Enter();
  const auto third = Submit();
  Complete(third);
  Complete(second);
  EXPECT_EQ(Taken(), "");
  EXPECT_EQ(line_->account().open, 3U);
  Complete(first);
  EXPECT_EQ(Taken(), "r1 r2 r3");
}

TEST_F(FrameLineTest, InFlightIsBoundedAndTheFreshestWaits) {
  Make({.max_in_flight = 1});
  line_->SetWorker(Worker::kReady);
  Enter();
  const auto first = Submit();
  Enter();
  EXPECT_EQ(line_->NextToSubmit(), nullptr);
  EXPECT_FALSE(line_->HasRoom());
  Enter();
  Enter();
  EXPECT_EQ(line_->account().skipped, 2U);
  Complete(first);
  EXPECT_EQ(Submit(), FrameSequence{4});
  EXPECT_EQ(Taken(), "r1");  // overload with a worker that answers: skipped frames leave no trace
}

TEST_F(FrameLineTest, EventsKeepTheirPlaceAmongFrames) {
  Make({.max_in_flight = 2});
  line_->SetWorker(Worker::kReady);
  line_->EnterEvent(cargos_.Make(10));
  Enter();
  const auto first = Submit();
  line_->EnterEvent(cargos_.Make(11));
  Enter();
  const auto second = Submit();
  line_->EnterEvent(cargos_.Make(12));
  EXPECT_EQ(line_->events(), 3U);
  EXPECT_EQ(Taken(), "e10");
  Complete(second);
  EXPECT_EQ(Taken(), "");
  Complete(first);
  EXPECT_EQ(Taken(), "r1 e11 r2 e12");
  EXPECT_EQ(line_->events(), 0U);
}

TEST_F(FrameLineTest, FailedFramesAreClosedOnceAndReplaced) {
  Make({});
  line_->SetWorker(Worker::kReady);
  Enter();
  const auto first = Submit();
  EXPECT_EQ(line_->Fail(first, clock_.Now()), Answer::kInTime);
  EXPECT_EQ(Taken(), "p1");
  EXPECT_EQ(line_->account().failed, 1U);
  EXPECT_EQ(line_->counters().passed_through, 1U);
}

TEST_F(FrameLineTest, AFailureDoesNotOvertakeAnEarlierFrame) {
  Make({.max_in_flight = 2});
  line_->SetWorker(Worker::kReady);
  Enter();
  const auto first = Submit();
  Enter();
  line_->Fail(Submit(), clock_.Now());
  EXPECT_EQ(Taken(), "");
  Complete(first);
  EXPECT_EQ(Taken(), "r1 p2");
}

TEST_F(FrameLineTest, ALostWorkerLosesWhatItHeldAndNothingElse) {
  Make({.max_in_flight = 2});
  line_->SetWorker(Worker::kReady);
  Enter();
  const auto first = Submit();
  Enter();
  const auto second = Submit();
  Enter();
  Complete(first);
  line_->LoseWorker();
  EXPECT_EQ(line_->account().lost, 1U);
  EXPECT_EQ(Taken(), "r1 p2");
  EXPECT_EQ(Complete(second), Answer::kUnknown);
  EXPECT_EQ(line_->NextToSubmit(), nullptr);
  line_->SetWorker(Worker::kReady);
  EXPECT_EQ(Submit(), FrameSequence{3});
}

TEST_F(FrameLineTest, AWorkerThatTakesOverWaitsForNothingOfTheOneBefore) {
  Make({.max_in_flight = 2});
  line_->SetWorker(Worker::kReady);
  Enter();
  const auto first = Submit();
  Enter();
  const auto second = Submit();
  Enter();
  Complete(first, 1);
  line_->ChangeWorker();
  EXPECT_EQ(line_->account().skipped, 1U);
  EXPECT_EQ(line_->account().lost, 0U);
  EXPECT_EQ(line_->counters().late, 1U);
  EXPECT_EQ(line_->in_flight(), 0U);
  EXPECT_EQ(Complete(second), Answer::kUnknown);
  Complete(Submit(), 2);
  EXPECT_EQ(Taken(), "r1 r3");
}

TEST_F(FrameLineTest, WithoutAWorkerTheSourcePassesThroughAfterTheStallTime) {
  Make({.stall_timeout = 200ms});
  Enter();
  EXPECT_EQ(Taken(), "");  // the freshest waits for the worker
  clock_.Advance(199ms);
  Enter();
  EXPECT_EQ(Taken(), "");  // a worker that is about to come shows no flash of the source
  clock_.Advance(1ms);
  Enter();
  EXPECT_EQ(Taken(), "p2");
  Enter();
  EXPECT_EQ(Taken(), "p3");
  EXPECT_EQ(line_->account().skipped, 3U);
}

TEST_F(FrameLineTest, AnEndOfStreamDoesNotWaitForAWorkerThatDoesNotCome) {
  Make({.max_wait = 1s});
  Enter();
  line_->EnterEvent(cargos_.Make(9));
  EXPECT_EQ(Taken(), "");
  EXPECT_EQ(line_->NextDeadline(), clock_.Now() + 1s);
  clock_.Advance(999ms);
  EXPECT_EQ(Taken(), "");
  clock_.Advance(1ms);
  EXPECT_EQ(Taken(), "p1 e9");
  EXPECT_EQ(line_->NextDeadline(), std::nullopt);
}

TEST_F(FrameLineTest, AFrameThatCannotBeReadFailsInItsPlace) {
  Make({.full_policy = FullPolicy::kBlock});
  line_->SetWorker(Worker::kReady);
  line_->FailWaiting();  // nothing waits
  Enter();
  const auto first = Submit();
  Enter();
  line_->FailWaiting();
  EXPECT_TRUE(line_->HasRoom());
  EXPECT_EQ(Taken(), "") << "it does not overtake";
  Complete(first);
  EXPECT_EQ(Taken(), "r1 p2");
  EXPECT_EQ(line_->account().failed, 1U);
  EXPECT_EQ(line_->account().open, 0U);
}

// Nobody takes what stands for the frames that could not be read.
TEST_F(FrameLineTest, FramesThatCannotBeReadDoNotPileUp) {
  Make({.max_in_flight = 2, .full_policy = FullPolicy::kBlock});
  line_->SetWorker(Worker::kReady);
  for (int i = 0; i < 100 && line_->HasRoom(); ++i) {
    Enter();
    if (line_->NextToSubmit() != nullptr) line_->FailWaiting();
  }
  EXPECT_EQ(line_->frames(), 4U) << "three to be published, one waits";
  EXPECT_EQ(line_->NextToSubmit(), nullptr);
  ASSERT_TRUE(line_->Take(clock_.Now()));
  EXPECT_NE(line_->NextToSubmit(), nullptr) << "and goes on by itself";
}

TEST_F(FrameLineTest, FramesThatTheGraphFailsDoNotPileUp) {
  Make({.max_in_flight = 4});
  line_->SetWorker(Worker::kReady);
  for (int pass = 0; pass < 20; ++pass) {  // downstream takes one while the worker fails many
    for (int i = 0; i < 4; ++i) {
      Enter();
      if (line_->NextToSubmit() != nullptr) {
        ASSERT_EQ(line_->Fail(Submit(), clock_.Now()), Answer::kInTime);
      }
    }
    ASSERT_LE(line_->frames(), 6U) << pass;
    ASSERT_TRUE(line_->Take(clock_.Now()));
  }
}

TEST_F(FrameLineTest, AFileWaitsForItsWorker) {
  Make({.full_policy = FullPolicy::kBlock});
  Enter();
  line_->EnterEvent(cargos_.Make(9));
  clock_.Advance(1h);
  EXPECT_EQ(Taken(), "");
  EXPECT_FALSE(line_->HasRoom());
  line_->SetWorker(Worker::kReady);
  Complete(Submit());
  EXPECT_EQ(Taken(), "r1 e9");
}

TEST_F(FrameLineTest, AStalledWorkerIsOvertakenAndItsAnswerIsLate) {
  Make({.stall_timeout = 200ms});
  line_->SetWorker(Worker::kReady);
  Enter();
  const auto first = Submit();
  for (int i = 0; i < 6; ++i) {
    clock_.Advance(33ms);
    Enter();
  }
  EXPECT_EQ(Taken(), "");  // 198 ms
  clock_.Advance(33ms);
  Enter();
  EXPECT_EQ(Taken(), "p7");
  clock_.Advance(33ms);
  Enter();
  EXPECT_EQ(Taken(), "p8");
  EXPECT_EQ(Complete(first), Answer::kLate);
  EXPECT_EQ(line_->counters().late, 1U);
  EXPECT_EQ(Taken(), "");
  // It answers again, so the stall is over: the next result counts.
  Complete(Submit());
  EXPECT_EQ(Taken(), "r9");
  EXPECT_EQ(line_->account().skipped, 8U);
  EXPECT_EQ(line_->account().completed, 1U);
}

TEST_F(FrameLineTest, APausedSourceIsNoStall) {
  Make({.stall_timeout = 200ms});
  line_->SetWorker(Worker::kReady);
  Process();
  EXPECT_EQ(Taken(), "r1");
  clock_.Advance(5s);
  Enter();
  const auto second = Submit();
  clock_.Advance(33ms);
  Enter();
  clock_.Advance(33ms);
  Enter();
  EXPECT_EQ(Taken(), "");
  Complete(second);
  EXPECT_EQ(Taken(), "r2");
}

TEST_F(FrameLineTest, ASlowButSteadyWorkerIsNoStall) {
  Make({.stall_timeout = 200ms});
  line_->SetWorker(Worker::kReady);
  std::optional<FrameSequence> held;
  SteadyTime since{};
  for (int i = 0; i < 300; ++i) {  // 30 fps in, 400 ms a frame
    Enter();
    clock_.Advance(33ms);
    if (held && clock_.Now() - since >= 400ms) {
      Complete(*held);
      held.reset();
    }
    if (!held) {
      held = Submit();
      since = clock_.Now();
    }
    Taken();
  }
  EXPECT_GT(line_->account().completed, 20U);
  EXPECT_LT(line_->counters().passed_through, 12U);  // only until it is known to be slow
}

TEST_F(FrameLineTest, AnotherGraphMayBeSlowFromItsFirstFrameOn) {
  Make({.stall_timeout = 200ms});
  line_->SetWorker(Worker::kReady);
  for (int i = 0; i < 64; ++i) {
    Process();
    Taken();
  }
  line_->ChangeGraph(clock_.Now());
  EXPECT_EQ(line_->service().size(), 0U);
  Enter();
  const auto first = Submit();
  clock_.Advance(1500ms);
  Complete(first);
  EXPECT_EQ(Taken(), "r65");
  // Known to be slow, so it is no stall now.
  Enter();
  const auto second = Submit();
  clock_.Advance(1400ms);
  Enter();
  Enter();
  EXPECT_EQ(Taken(), "");
  Complete(second);
  EXPECT_EQ(Taken(), "r66");
}

// The frame waits in the worker until the new graph is loaded.
TEST_F(FrameLineTest, LoadingAGraphIsNoServiceTime) {
  Make({.max_in_flight = 2, .stall_timeout = 200ms});
  line_->SetWorker(Worker::kReady);
  Enter();
  const auto first = Submit();
  clock_.Advance(5s);
  line_->ChangeGraph(clock_.Now());
  clock_.Advance(20ms);
  Complete(first);
  EXPECT_EQ(line_->service().Percentile(50), 20ms);
  EXPECT_EQ(Taken(), "r1");
  // A crash on the next frame shows the source after the stall time.
  Enter();
  Submit();
  line_->LoseWorker();
  EXPECT_EQ(Taken(), "p2");
  Enter();
  clock_.Advance(200ms);
  Enter();
  EXPECT_EQ(Taken(), "p3");
}

TEST_F(FrameLineTest, RepeatShowsTheLastGoodFrameUnderTheNewTime) {
  Make({.on_missing = OnMissing::kRepeat, .stall_timeout = 0ms});
  Enter();
  Enter();
  EXPECT_EQ(Taken(), "p1");  // none to repeat yet
  line_->SetWorker(Worker::kReady);
  Complete(Submit());
  EXPECT_EQ(Taken(), "r2");
  line_->LoseWorker();
  Enter();
  Enter();
  EXPECT_EQ(Taken(), "c3");
  EXPECT_EQ(line_->counters().repeated, 1U);
}

TEST_F(FrameLineTest, AStalledOutputGathersNoReplacements) {
  Make({.stall_timeout = 200ms});
  line_->SetWorker(Worker::kReady);
  Enter();
  Submit();
  clock_.Advance(300ms);
  for (int i = 0; i < 100; ++i) Enter();  // nobody takes: the push downstream blocks
  EXPECT_EQ(Taken(), "p2");               // one stands for all that were skipped
  EXPECT_EQ(line_->account().skipped, 99U);
}

TEST_F(FrameLineTest, GapPublishesNothingAndOvertakesNothing) {
  Make({.on_missing = OnMissing::kGap, .stall_timeout = 200ms});
  line_->SetWorker(Worker::kReady);
  Enter();
  const auto first = Submit();
  clock_.Advance(1s);
  Enter();
  Enter();
  EXPECT_EQ(Taken(), "");
  Complete(first);
  EXPECT_EQ(Taken(), "r1");
  Enter();
  Submit();
  line_->LoseWorker();
  EXPECT_EQ(Taken(), "");
  EXPECT_EQ(line_->account().lost, 1U);
}

TEST_F(FrameLineTest, PassthroughDoesNotFlipTheOutputSize) {
  Make({.stall_timeout = 0ms});
  line_->SetWorker(Worker::kReady);
  width_ = 8;  // results are twice as wide as the source
  Process();
  EXPECT_EQ(Taken(), "r1");
  line_->LoseWorker();
  Enter();
  Enter();
  EXPECT_EQ(Taken(), "c2");
  // A new input format makes the old result useless.
  format_ = std::make_shared<const InputFormat>(
      InputFormat{.id = 2, .width = 6, .height = 4, .caps = NoCargo()});
  Enter();
  EXPECT_EQ(Taken(), "c3");
  Enter();
  EXPECT_EQ(Taken(), "p4");
}

TEST_F(FrameLineTest, NothingOfAnOlderRevisionLeavesAboveTheFloor) {
  Make({.max_in_flight = 3, .on_missing = OnMissing::kRepeat});
  line_->SetWorker(Worker::kReady);
  Process();
  EXPECT_EQ(Taken(), "r1");
  Enter();
  const auto second = Submit();
  Enter();
  const auto third = Submit();
  EXPECT_FALSE(line_->HoldsOlder(2));
  Complete(third, 1);
  EXPECT_TRUE(line_->HoldsOlder(2));
  EXPECT_FALSE(line_->HoldsOlder(1));
  line_->RaiseFloor(2);
  EXPECT_FALSE(line_->HoldsOlder(2));
  EXPECT_EQ(Complete(second, 1), Answer::kLate);
  EXPECT_EQ(Taken(), "p2 p3");  // not even repeated
  Enter();
  EXPECT_EQ(Complete(Submit(), 2), Answer::kInTime);
  EXPECT_EQ(Taken(), "r4");
  EXPECT_EQ(line_->account().skipped, 2U);
  // Another worker counts its revisions from the start.
  line_->LoseWorker();
  line_->SetWorker(Worker::kReady);
  Enter();
  EXPECT_EQ(Complete(Submit(), 1), Answer::kInTime);
}

TEST_F(FrameLineTest, FlushGivesTheEventsBackAndKeepsTheAccount) {
  Make({.max_in_flight = 2});
  line_->SetWorker(Worker::kReady);
  Enter();
  const auto first = Submit();
  line_->EnterEvent(cargos_.Make(20));
  Enter();
  const auto second = Submit();
  Complete(second);
  Enter();
  auto events = line_->Flush();
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(Cargos::NumberOf(events[0]), 20);
  EXPECT_EQ(line_->account().open, 1U);  // the worker still holds the first
  EXPECT_EQ(line_->account().skipped, 2U);
  Enter();
  const auto fourth = Submit();
  Complete(fourth);
  EXPECT_EQ(Taken(), "r4");
  EXPECT_EQ(Complete(first), Answer::kLate);
  EXPECT_EQ(line_->account().open, 0U);
  EXPECT_EQ(Taken(), "");
  events.clear();
  EXPECT_EQ(cargos_.alive(), 0);
}

TEST_F(FrameLineTest, AResultThatIsNotWantedIsSkippedAndNothingStandsInForIt) {
  Make({.max_in_flight = 2});
  line_->SetWorker(Worker::kReady);
  Enter();
  const auto first = Submit();
  Enter();
  const auto second = Submit();
  line_->Discard(first, clock_.Now());
  Complete(second);
  EXPECT_EQ(Taken(), "r2");
  EXPECT_EQ(line_->account().skipped, 1U);
  EXPECT_EQ(line_->counters().late, 1U);
  line_->Discard(first, clock_.Now());  // it is gone
  EXPECT_EQ(line_->account().skipped, 1U);
  EXPECT_EQ(line_->in_flight(), 0U);
}

TEST_F(FrameLineTest, WhereEachFrameHasItsPlaceAResultThatIsNotWantedIsReplaced) {
  MakePaced({.cadence = Cadence::kEvery});
  line_->SetWorker(Worker::kReady);
  Enter();
  line_->Discard(Submit(), clock_.Now());
  clock_.Advance(std::chrono::seconds(1));
  EXPECT_EQ(Taken(), "p1");
  EXPECT_EQ(line_->account().skipped, 1U);
}

TEST_F(FrameLineTest, ClosingAllLeavesNothingOpen) {
  Make({.max_in_flight = 2});
  line_->SetWorker(Worker::kReady);
  Enter();
  Submit();
  Enter();
  Complete(Submit());
  Enter();
  line_->EnterEvent(cargos_.Make(1));
  line_->CloseAll();
  EXPECT_EQ(line_->account().open, 0U);
  EXPECT_EQ(line_->account().skipped, 3U);
  EXPECT_EQ(cargos_.alive(), 0);
}

}  // namespace
}  // namespace framelock::plugins
