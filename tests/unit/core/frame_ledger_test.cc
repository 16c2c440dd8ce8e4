// SPDX-License-Identifier: Apache-2.0
#include "pipeline/core/frame_ledger.h"

#include <gtest/gtest.h>

#include <string>

namespace framelock {
namespace {

std::uint64_t Sum(const Account& a) { return a.completed + a.skipped + a.failed + a.lost + a.open; }

TEST(FrameLedger, NumbersStartAtOneAndRise) {
  FrameLedger<int> ledger;
  EXPECT_EQ(ledger.Open(10).value, 1u);
  EXPECT_EQ(ledger.Open(20).value, 2u);
}

TEST(FrameLedger, GivesThePayloadBackToItsOwnFrame) {
  FrameLedger<std::string> ledger;
  const auto a = ledger.Open("pts a");
  const auto b = ledger.Open("pts b");
  EXPECT_EQ(ledger.Close(b, Outcome::kCompleted), "pts b");
  EXPECT_EQ(ledger.Close(a, Outcome::kFailed), "pts a");
}

TEST(FrameLedger, UnknownAndRepeatedNumbersChangeNothing) {
  FrameLedger<int> ledger;
  const auto a = ledger.Open(1);
  EXPECT_EQ(ledger.Find(FrameSequence{2}), nullptr);
  EXPECT_FALSE(ledger.Close(FrameSequence{0}, Outcome::kCompleted));
  EXPECT_FALSE(ledger.Close(FrameSequence{99}, Outcome::kLost));
  ASSERT_TRUE(ledger.Close(a, Outcome::kCompleted));
  EXPECT_FALSE(ledger.Close(a, Outcome::kCompleted));
  EXPECT_FALSE(ledger.Close(a, Outcome::kLost));
  EXPECT_EQ(ledger.account().completed, 1u);
  EXPECT_EQ(ledger.account().lost, 0u);
}

TEST(FrameLedger, AccountAddsUpAtEveryMoment) {
  FrameLedger<int> ledger;
  const Outcome outcomes[] = {Outcome::kCompleted, Outcome::kSkipped, Outcome::kFailed,
                              Outcome::kLost};
  for (int i = 0; i < 1000; ++i) {
    const auto sequence = ledger.Open(i);
    EXPECT_EQ(Sum(ledger.account()), ledger.account().inputs);
    if (i % 5 != 0) ledger.Close(sequence, outcomes[i % 4]);
    EXPECT_EQ(Sum(ledger.account()), ledger.account().inputs);
  }
  EXPECT_EQ(ledger.account().open, 200u);
}

}  // namespace
}  // namespace framelock
