// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <random>
#include <vector>

#include "tests/unit/plugins/frame_line_fixture.h"

namespace framelock::plugins {
namespace {

using namespace std::chrono_literals;
using Kind = LineOutput::Kind;
using Worker = FrameLine::Worker;
using Answer = FrameLine::Answer;

// Any sequence of events: the account adds up after each, numbers only grow, no event is dropped or
// moved among frames, the line holds no more frames than it may, and nothing leaks.
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
    // What has an output slot; then what is published in place of the closed ones, of which one
    // may be urgent; and the one that waits.
    const std::size_t replaced = cadence_ == Cadence::kEvery ? kPlaces : max_in_flight_;
    ASSERT_LE(line_->frames(), kOutputSlots + (replaced + 1) + 1 + 1);
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
  // A result keeps its slot until it has left; the frames that the worker holds have one, too.
  bool HasOutputSlot() const { return line_->account().open - line_->waiting() < kOutputSlots; }
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
        if (HasOutputSlot() && line_->NextToSubmit() != nullptr) held_.push_back(Submit());
        break;
      case 5:
      case 6:
        AnswerOne();
        break;
      case 7:
        if (!downstream_blocks_) TakeAll();
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
        if (line_->NextToSubmit() != nullptr) line_->FailWaiting();
        break;
      case 6:
        line_->ChangeGraph(clock_.Now());
        break;
      case 7:
        for (const Cargo& event : line_->Flush()) {
          ASSERT_EQ(Cargos::NumberOf(event), ++events_out_);
        }
        break;
      default:
        if (random_() % 4 == 0) downstream_blocks_ = !downstream_blocks_;
        break;
    }
  }

  static constexpr std::size_t kOutputSlots = 9;
  static constexpr std::size_t kPlaces = 4;

  std::mt19937 random_{GetParam()};
  const std::size_t max_in_flight_ = 1 + GetParam() % 4;
  FullPolicy policy_ = FullPolicy::kDropOldest;
  const Cadence cadence_ = static_cast<Cadence>(GetParam() / 2 % 3);
  std::vector<FrameSequence> held_;
  std::map<std::uint64_t, std::uint32_t> results_;
  std::uint64_t last_out_ = 0, revision_ = 1, floor_ = 0;
  int events_in_ = 0, events_out_ = 0;
  bool downstream_blocks_ = false;
};

TEST_P(RandomLineTest, TheAccountAddsUpAndTheOrderHolds) {
  policy_ = GetParam() % 2 == 0 ? FullPolicy::kDropOldest : FullPolicy::kBlock;
  MakePaced({.max_in_flight = max_in_flight_,
             .full_policy = policy_,
             .on_missing = static_cast<OnMissing>(GetParam() / 6 % 3),
             .stall_timeout = 50ms,
             .cadence = cadence_,
             .max_places = kPlaces});
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

INSTANTIATE_TEST_SUITE_P(Seeds, RandomLineTest, testing::Range(1U, 49U));

}  // namespace
}  // namespace framelock::plugins
