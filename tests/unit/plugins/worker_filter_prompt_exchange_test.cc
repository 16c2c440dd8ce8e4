// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "plugins/prompt_exchange.h"

namespace framelock::plugins {
namespace {

using Kind = PromptExchange::Answer::Kind;
using Rejected = PromptExchange::Rejected;

TEST(PromptExchange, AFreshWorkerIsGivenTheCurrentPrompt) {
  PromptExchange prompt("first");
  EXPECT_FALSE(prompt.NextToSend());  // nobody is there
  prompt.OnWelcomed(0);
  EXPECT_FALSE(prompt.running());
  const auto sent = prompt.NextToSend();
  ASSERT_TRUE(sent);
  EXPECT_EQ(sent->text, "first");
  EXPECT_EQ(sent->revision, 1U);
  EXPECT_FALSE(prompt.NextToSend());  // one at a time
  prompt.OnApplied(1);
  EXPECT_TRUE(prompt.running());
  EXPECT_EQ(prompt.revision(), 1U);
}

TEST(PromptExchange, AnAppliedOfferBecomesCurrentForTheWorkersToCome) {
  PromptExchange prompt("first");
  prompt.OnWelcomed(0);
  prompt.NextToSend();
  prompt.Offer({.text = "second"});  // while the first one is still checked
  EXPECT_FALSE(prompt.NextToSend());
  prompt.OnApplied(1);
  EXPECT_FALSE(prompt.answer());
  const auto sent = prompt.NextToSend();
  ASSERT_TRUE(sent);
  EXPECT_EQ(sent->text, "second");
  EXPECT_EQ(sent->revision, 2U);
  prompt.OnApplied(2);
  ASSERT_TRUE(prompt.answer());
  EXPECT_EQ(prompt.answer()->kind, Kind::kApplied);
  EXPECT_EQ(prompt.current(), "second");
  prompt.OnLost("");
  EXPECT_FALSE(prompt.running());
  prompt.OnWelcomed(0);
  const auto again = prompt.NextToSend();
  ASSERT_TRUE(again);
  EXPECT_EQ(again->text, "second");
  EXPECT_EQ(again->revision, 2U);  // the same prompt keeps its number
}

TEST(PromptExchange, ARejectedOfferChangesNothing) {
  PromptExchange prompt("first");
  prompt.OnWelcomed(0);
  prompt.NextToSend();
  prompt.OnApplied(1);
  prompt.Offer({.text = "bad"});
  prompt.NextToSend();
  EXPECT_EQ(prompt.OnRejected("why"), Rejected::kOffered);
  EXPECT_EQ(prompt.answer()->kind, Kind::kRejected);
  EXPECT_EQ(prompt.answer()->errors, "why");
  EXPECT_EQ(prompt.answer()->revision, 1U);
  EXPECT_EQ(prompt.current(), "first");
  EXPECT_TRUE(prompt.running());
  // Its number is not used twice.
  prompt.Offer({.text = "good"});
  EXPECT_EQ(prompt.NextToSend()->revision, 3U);
}

TEST(PromptExchange, WithoutItsCurrentPromptNothingRuns) {
  PromptExchange prompt("bad");
  prompt.OnWelcomed(0);
  prompt.NextToSend();
  EXPECT_EQ(prompt.OnRejected("why"), Rejected::kCurrent);
  EXPECT_FALSE(prompt.running());
}

TEST(PromptExchange, ALentWorkersOwnPromptIsKept) {
  PromptExchange prompt("mine");
  prompt.OnWelcomed(7);
  EXPECT_TRUE(prompt.running());
  EXPECT_EQ(prompt.revision(), 7U);
  EXPECT_FALSE(prompt.NextToSend());
  prompt.Offer({.text = "next"});
  EXPECT_EQ(prompt.NextToSend()->revision, 8U);
}

TEST(PromptExchange, WhatKilledAWorkerIsNotTriedOnTheNext) {
  PromptExchange prompt("first");
  prompt.OnWelcomed(0);
  prompt.NextToSend();
  prompt.OnApplied(1);
  prompt.Offer({.text = "deadly"});
  prompt.NextToSend();
  prompt.OnLost("it died");
  ASSERT_TRUE(prompt.answer());
  EXPECT_EQ(prompt.answer()->errors, "it died");
  prompt.OnWelcomed(0);
  EXPECT_EQ(prompt.NextToSend()->text, "first");
}

TEST(PromptExchange, AnOfferThatWasNotSentYetWaitsForTheNextWorkerOrIsWithdrawn) {
  PromptExchange prompt("first");
  prompt.Offer({.text = "second"});
  prompt.OnLost("");
  prompt.OnWelcomed(0);
  EXPECT_EQ(prompt.NextToSend()->text, "first");
  prompt.OnApplied(1);
  prompt.Withdraw();
  EXPECT_FALSE(prompt.NextToSend());
}

TEST(PromptExchange, AnAnswerThatCameTooLateStillCountsForTheWorkersToCome) {
  PromptExchange prompt("first");
  prompt.OnWelcomed(0);
  prompt.NextToSend();
  prompt.OnApplied(1);
  prompt.Offer({.text = "slow"});
  prompt.NextToSend();
  prompt.Withdraw();
  prompt.OnApplied(2);  // it runs now, whatever the caller was told
  EXPECT_EQ(prompt.current(), "slow");
  EXPECT_EQ(prompt.revision(), 2U);
}

TEST(PromptExchange, ASizeComesOutWithItsPromptOnceItIsApplied) {
  PromptExchange prompt("first");
  prompt.OnWelcomed(0);
  prompt.NextToSend();
  prompt.Offer({.text = "second", .size = FrameSize{768, 432}});
  EXPECT_FALSE(prompt.OnApplied(1));  // the first one brought none
  prompt.NextToSend();
  EXPECT_EQ(prompt.OnApplied(2), (FrameSize{768, 432}));
  prompt.Offer({.text = "bad", .size = FrameSize{1, 1}});
  prompt.NextToSend();
  prompt.OnRejected("why");
  prompt.Offer({.text = "third"});
  prompt.NextToSend();
  EXPECT_FALSE(prompt.OnApplied(4));
}

TEST(PromptExchange, SettingsStayUntilOthersAreApplied) {
  PromptExchange prompt("first");
  prompt.OnWelcomed(0);
  EXPECT_EQ(prompt.NextToSend()->settings, host::kNoSettings);
  prompt.OnApplied(1);
  prompt.Offer({.text = "second", .settings = "new"});
  EXPECT_EQ(prompt.NextToSend()->settings, "new");
  prompt.OnApplied(2);
  prompt.Offer({.text = "bad", .settings = "newer"});
  prompt.NextToSend();
  prompt.OnRejected("why");
  prompt.Offer({.text = "third"});
  EXPECT_EQ(prompt.NextToSend()->settings, "new");
  prompt.OnLost("");
  prompt.OnWelcomed(0);
  const auto again = prompt.NextToSend();
  EXPECT_EQ(again->text, "second");
  EXPECT_EQ(again->settings, "new");
}

TEST(PromptExchange, ALateAnswerIsNotTakenForTheNextOne) {
  PromptExchange prompt("first");
  prompt.OnWelcomed(1);
  prompt.Offer({.text = "slow"});
  prompt.NextToSend();
  prompt.Withdraw();
  prompt.Offer({.text = "next"});
  EXPECT_FALSE(prompt.NextToSend());
  prompt.OnApplied(2);
  EXPECT_FALSE(prompt.answer());
  const auto sending = prompt.NextToSend();
  ASSERT_TRUE(sending);
  EXPECT_EQ(sending->text, "next");
  prompt.OnRejected("bad");
  ASSERT_TRUE(prompt.answer());
  EXPECT_EQ(prompt.answer()->errors, "bad");
  EXPECT_EQ(prompt.current(), "slow");
}

}  // namespace
}  // namespace framelock::plugins
