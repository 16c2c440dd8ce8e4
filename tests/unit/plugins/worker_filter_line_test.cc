// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <random>
#include <vector>

#include "plugins/frame_line.h"
#include "tests/support/fake_clock.h"

namespace framelock::plugins {
namespace {

using namespace std::chrono_literals;
using Kind = LineOutput::Kind;
using Worker = FrameLine::Worker;
using Answer = FrameLine::Answer;

// Cargo whose address is its number, and which counts how often it was released.
class Cargos {
 public:
  Cargo Make(int number) {
    auto* cargo = new Numbered{number, this};
    ++alive_;
    return {cargo, [](void* c) {
              auto* numbered = static_cast<Numbered*>(c);
              --numbered->owner->alive_;
              delete numbered;
            }};
  }
  static int NumberOf(const Cargo& cargo) { return static_cast<Numbered*>(cargo.get())->number; }
  [[nodiscard]] int alive() const { return alive_; }

 private:
  struct Numbered {
    int number;
    Cargos* owner;
  };
  int alive_ = 0;
};

class FrameLineTest : public testing::Test {
 protected:
  void Make(FrameLine::Options options) { line_.emplace(options); }

  FrameSequence Enter() {
    LineFrame frame;
    frame.source = cargos_.Make(static_cast<int>(++entered_));
    frame.format = format_;
    return line_->Enter(std::move(frame), clock_.Now());
  }
  FrameSequence Submit() {
    LineFrame* frame = line_->NextToSubmit();
    EXPECT_NE(frame, nullptr);
    const FrameSequence sequence = frame->sequence;
    line_->Submitted(clock_.Now());
    return sequence;
  }
  Answer Complete(FrameSequence sequence, std::uint64_t revision = 1) {
    return line_->Complete(sequence, {width_, 4, revision}, clock_.Now());
  }
  // Everything that may leave now, as text: "r3" is the result of frame 3, "p" a passthrough,
  // "c" a repetition (copy), "e" an event.
  std::string Taken() {
    std::string text;
    while (auto output = line_->Take(clock_.Now())) {
      if (!text.empty()) text += ' ';
      if (output->kind == Kind::kEvent) {
        text += 'e' + std::to_string(Cargos::NumberOf(output->event));
        continue;
      }
      text += output->kind == Kind::kResult ? 'r' : output->kind == Kind::kRepeat ? 'c' : 'p';
      text += std::to_string(output->frame.sequence.value);
      // The frame still has the source that it came with.
      EXPECT_EQ(Cargos::NumberOf(output->frame.source),
                static_cast<int>(output->frame.sequence.value));
    }
    return text;
  }
  void Process() {
    Enter();
    Complete(Submit());
  }

  Cargos cargos_;
  FakeClock clock_;
  std::uint32_t width_ = 4;
  std::uint64_t entered_ = 0;
  std::shared_ptr<const InputFormat> format_ = std::make_shared<const InputFormat>(
      InputFormat{.id = 1, .width = 4, .height = 4, .caps = NoCargo()});
  std::optional<FrameLine> line_;
};

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
  line_->ChangeGraph();
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
  Complete(third, 1);
  line_->RaiseFloor(2);
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

// Any sequence of events: the account adds up after each, numbers only grow, no event is dropped or
// moved among frames, and nothing leaks.
class RandomLineTest : public FrameLineTest, public testing::WithParamInterface<unsigned> {
 protected:
  void CheckAccount() {
    const Account account = line_->account();
    const auto& counters = line_->counters();
    ASSERT_EQ(account.inputs,
              account.completed + account.skipped + account.failed + account.lost + account.open);
    ASSERT_EQ(counters.pushed, account.completed + counters.passed_through + counters.repeated);
    ASSERT_LE(counters.late, account.skipped);
    ASSERT_EQ(account.inputs, entered_);
    ASSERT_LE(line_->waiting(), 1U);
    ASSERT_LE(line_->waiting() + line_->in_flight(), account.open);
  }
  void TakeAll() {
    while (auto output = line_->Take(clock_.Now())) {
      if (output->kind == Kind::kEvent) {
        ASSERT_EQ(Cargos::NumberOf(output->event), ++events_out_);
        continue;
      }
      const std::uint64_t number = output->frame.sequence.value;
      ASSERT_GT(number, last_out_);
      last_out_ = number;
      ASSERT_EQ(Cargos::NumberOf(output->frame.source), static_cast<int>(number));
      if (output->kind == Kind::kPassthrough) continue;
      ASSERT_GE(output->result.revision, floor_);
      if (output->kind == Kind::kResult) {
        ASSERT_EQ(results_.at(number), output->result.width);
      }
    }
  }
  void AnswerOne() {
    if (held_.empty()) return;
    const auto at = held_.begin() + static_cast<std::ptrdiff_t>(random_() % held_.size());
    const FrameSequence sequence = *at;
    held_.erase(at);
    if (random_() % 6 == 0) {
      ASSERT_NE(line_->Fail(sequence, clock_.Now()), Answer::kUnknown);
      return;
    }
    const std::uint32_t width = 1 + random_() % 8;
    results_[sequence.value] = width;
    ASSERT_NE(line_->Complete(sequence, {width, 4, revision_}, clock_.Now()), Answer::kUnknown);
    ASSERT_EQ(line_->Complete(sequence, {width, 4, revision_}, clock_.Now()), Answer::kUnknown);
  }
  void Step() {
    switch (random_() % 12) {
      case 0:
      case 1:
      case 2:
        if (line_->HasRoom() || policy_ == FullPolicy::kDropOldest) Enter();
        break;
      case 3:
      case 4:
        if (line_->NextToSubmit() != nullptr) held_.push_back(Submit());
        break;
      case 5:
      case 6:
        AnswerOne();
        break;
      case 7:
        TakeAll();
        break;
      case 8:
        line_->EnterEvent(cargos_.Make(++events_in_));
        break;
      case 9:
        clock_.Advance(std::chrono::milliseconds(random_() % 120));
        break;
      default:
        StepRarely();
    }
  }
  void StepRarely() {
    switch (random_() % 10) {
      case 0:
        line_->LoseWorker();
        held_.clear();
        floor_ = 0;
        break;
      case 1:
      case 2:
      case 3:
        line_->SetWorker(Worker::kReady);
        break;
      case 4:
        line_->RaiseFloor(floor_ = ++revision_);
        break;
      case 5:
        for (const Cargo& event : line_->Flush()) {
          ASSERT_EQ(Cargos::NumberOf(event), ++events_out_);
        }
        break;
      default:
        break;
    }
  }

  std::mt19937 random_{GetParam()};
  FullPolicy policy_ = FullPolicy::kDropOldest;
  std::vector<FrameSequence> held_;
  std::map<std::uint64_t, std::uint32_t> results_;
  std::uint64_t last_out_ = 0, revision_ = 1, floor_ = 0;
  int events_in_ = 0, events_out_ = 0;
};

TEST_P(RandomLineTest, TheAccountAddsUpAndTheOrderHolds) {
  policy_ = GetParam() % 2 == 0 ? FullPolicy::kDropOldest : FullPolicy::kBlock;
  Make({.max_in_flight = 1 + GetParam() % 4,
        .full_policy = policy_,
        .on_missing = static_cast<OnMissing>(GetParam() % 3),
        .stall_timeout = 50ms});
  for (int i = 0; i < 3000; ++i) {
    ASSERT_NO_FATAL_FAILURE(Step()) << "step " << i;
    ASSERT_NO_FATAL_FAILURE(CheckAccount()) << "step " << i;
  }
  TakeAll();
  line_->CloseAll();
  CheckAccount();
  EXPECT_EQ(line_->account().open, 0U);
  EXPECT_EQ(cargos_.alive(), 0);
  EXPECT_GT(line_->account().completed, 0U);
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomLineTest, testing::Range(1U, 25U));

}  // namespace
}  // namespace framelock::plugins
