// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <chrono>

#include "tests/unit/plugins/frame_line_fixture.h"

namespace framelock::plugins {
namespace {

using namespace std::chrono_literals;
using Worker = FrameLine::Worker;
using Answer = FrameLine::Answer;

// A result that is finished and held until its time has come.
class HeldResult : public FrameLineTest {
 protected:
  HeldResult() {
    MakePaced({.cadence = Cadence::kSteady, .latency = 30ms});
    line_->SetWorker(Worker::kReady);
    Process();
    EXPECT_EQ(Taken(), "");
    EXPECT_EQ(line_->NextDeadline(), clock_.Now() + 30ms);
  }
};

TEST_F(HeldResult, LeavesAtItsTime) {
  clock_.Advance(30ms - 1ns);
  EXPECT_EQ(Taken(), "");
  clock_.Advance(1ns);
  EXPECT_EQ(Taken(), "r1");
  EXPECT_EQ(line_->NextDeadline(), std::nullopt);
}

TEST_F(HeldResult, HoldsAnEndOfStreamUpNoLonger) {
  line_->EnterEvent(cargos_.Make(9));
  EXPECT_EQ(Taken(), "");
  clock_.Advance(30ms);
  EXPECT_EQ(Taken(), "r1 e9");
}

TEST_F(HeldResult, OfAnOlderPromptDoesNotLeave) {
  line_->RaiseFloor(2);
  clock_.Advance(30ms);
  EXPECT_EQ(Taken(), "p1");
  EXPECT_EQ(line_->account().completed, 0U);
}

TEST_F(HeldResult, MakesWayForTheNextOne) {
  clock_.Advance(10ms);
  Process();
  EXPECT_EQ(Taken(), "r1");
  EXPECT_EQ(line_->NextDeadline(), clock_.Now() + 30ms);
}

TEST_F(HeldResult, IsDroppedByAFlush) {
  line_->Flush();
  clock_.Advance(30ms);
  EXPECT_EQ(Taken(), "");
  EXPECT_EQ(line_->account().open, 0U);
  EXPECT_EQ(cargos_.alive(), 0);
}

TEST_F(HeldResult, OutlivesItsWorker) {
  Enter();
  Submit();
  line_->LoseWorker();
  clock_.Advance(30ms);
  EXPECT_EQ(Taken(), "r1 p2");
}

// "At once" is a time that others may be taken from.
TEST_F(FrameLineTest, WhatLeavesAtOnceHasADeadlineLongAgo) {
  Make({});
  line_->SetWorker(Worker::kReady);
  Process();
  EXPECT_EQ(line_->NextDeadline(), SteadyTime{});
  EXPECT_EQ(Taken(), "r1");
}

TEST(LineOptions, SayHowManyResultsAreHeld) {
  EXPECT_EQ(MostHeld({}), 1U);
  EXPECT_EQ(MostHeld({.latency = 400ms}), 1U);
  EXPECT_EQ(MostHeld({.cadence = Cadence::kEvery}), 1U);
  EXPECT_EQ(MostHeld({.cadence = Cadence::kEvery, .latency = 10ms}), 1U);
  EXPECT_EQ(MostHeld({.cadence = Cadence::kEvery, .latency = 200ms}), 12U);
  EXPECT_EQ(MostHeld({.cadence = Cadence::kEvery, .latency = 10s}), 16U);
}

// Something stood for a frame that was too slow; what the worker says of it later is from before
// the flush.
TEST_F(FrameLineTest, AFlushTakesLateResultsAwayToo) {
  MakePaced({.on_missing = OnMissing::kRepeat, .cadence = Cadence::kEvery, .latency = 30ms});
  line_->SetWorker(Worker::kReady);
  Enter();
  const auto first = Submit();
  clock_.Advance(100ms);
  EXPECT_EQ(Taken(), "p1");
  line_->Flush();
  EXPECT_EQ(Complete(first), Answer::kLate);
  Enter();
  const auto second = Submit();
  clock_.Advance(100ms);
  EXPECT_EQ(Taken(), "p2");
  EXPECT_EQ(Complete(second), Answer::kLate);
  Enter();
  clock_.Advance(100ms);
  EXPECT_EQ(Taken(), "c3") << "but not those of after it";
}

}  // namespace
}  // namespace framelock::plugins
