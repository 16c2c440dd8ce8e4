// SPDX-License-Identifier: Apache-2.0
// The rules about time and loss that the pipeline's probes apply.
#include <gtest/gtest.h>

#include "pipeline/stream/decode_account.h"
#include "pipeline/stream/frame_rate_cap.h"
#include "pipeline/stream/key_frame_cadence.h"
#include "pipeline/stream/key_gate.h"

namespace framelock::stream {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

nanoseconds Frame(int index, int fps) { return nanoseconds(index * 1'000'000'000LL / fps); }

int Kept(FrameRateCap& cap, int frames, int fps) {
  int kept = 0;
  for (int i = 0; i < frames; ++i) kept += cap.Keep(Frame(i, fps)) ? 1 : 0;
  return kept;
}

TEST(FrameRateCap, ThinsEvenly) {
  FrameRateCap cap(15);
  EXPECT_NEAR(Kept(cap, 300, 30), 150, 1);
}

TEST(FrameRateCap, ReachesARateThatDoesNotDivideTheInputs) {
  FrameRateCap cap(24);
  EXPECT_NEAR(Kept(cap, 600, 60), 240, 1);
  FrameRateCap other(24);
  EXPECT_NEAR(Kept(other, 300, 30), 240, 1);
}

TEST(FrameRateCap, KeepsWhatIsSlowerAnyway) {
  FrameRateCap cap(30);
  EXPECT_EQ(Kept(cap, 250, 25), 250);
}

TEST(FrameRateCap, StartsAnewAfterAGapAndAfterAJumpBack) {
  FrameRateCap cap(10);
  EXPECT_TRUE(cap.Keep(seconds(0)));
  EXPECT_FALSE(cap.Keep(milliseconds(50)));
  EXPECT_TRUE(cap.Keep(seconds(10)));
  EXPECT_FALSE(cap.Keep(seconds(10) + milliseconds(99)));
  EXPECT_TRUE(cap.Keep(seconds(10) + milliseconds(100)));
  EXPECT_TRUE(cap.Keep(seconds(1)));
  EXPECT_FALSE(cap.Keep(seconds(1) + milliseconds(50)));
}

TEST(KeyFrameCadence, IsEvenWhateverTheFrameRate) {
  KeyFrameCadence cadence(seconds(2));
  std::vector<int> keys;
  for (int i = 0; i < 300; ++i) {
    if (cadence.Due(Frame(i, 29))) keys.push_back(i);
  }
  EXPECT_EQ(keys, (std::vector<int>{0, 58, 116, 174, 232, 290}));
}

TEST(KeyFrameCadence, DoesNotDriftWithLateFrames) {
  KeyFrameCadence cadence(seconds(1));
  EXPECT_TRUE(cadence.Due(seconds(0)));
  EXPECT_TRUE(cadence.Due(milliseconds(1400)));
  EXPECT_FALSE(cadence.Due(milliseconds(1900)));
  EXPECT_TRUE(cadence.Due(milliseconds(2000)));
}

TEST(KeyFrameCadence, StartsAnewAfterAJump) {
  KeyFrameCadence cadence(seconds(2));
  EXPECT_TRUE(cadence.Due(seconds(100)));
  EXPECT_TRUE(cadence.Due(seconds(5)));
  EXPECT_FALSE(cadence.Due(seconds(6)));
  EXPECT_TRUE(cadence.Due(seconds(7)));
  EXPECT_TRUE(cadence.Due(seconds(900)));
  EXPECT_FALSE(cadence.Due(seconds(901)));
}

TEST(DecodeAccount, CountsWhatGaveNoPicture) {
  DecodeAccount account;
  for (int i = 0; i < 5; ++i) account.OnAccessUnit(Frame(i, 30));
  account.OnPicture(Frame(0, 30));
  account.OnPicture(Frame(3, 30));
  EXPECT_EQ(account.pictures(), 2U);
  EXPECT_EQ(account.lost(), 2U);
  EXPECT_EQ(account.lost_in_a_row(), 0U);
}

TEST(DecodeAccount, BearsReordering) {
  DecodeAccount account;
  for (const int i : {0, 3, 1, 2, 6, 4, 5}) account.OnAccessUnit(Frame(i, 30));
  for (int i = 0; i < 7; ++i) account.OnPicture(Frame(i, 30));
  EXPECT_EQ(account.pictures(), 7U);
  EXPECT_EQ(account.lost(), 0U);
}

TEST(DecodeAccount, CountsInARowWhileNothingComes) {
  DecodeAccount account;
  for (int i = 0; i < 100; ++i) account.OnAccessUnit(Frame(i, 30));
  EXPECT_EQ(account.lost_in_a_row(), 100 - DecodeAccount::kMaxPending);
  account.OnPicture(Frame(99, 30));
  EXPECT_EQ(account.lost(), 99U);
  EXPECT_EQ(account.lost_in_a_row(), 0U);
}

TEST(DecodeAccount, ForgetsAcrossAJumpBack) {
  DecodeAccount account;
  account.OnAccessUnit(seconds(1000));
  account.OnAccessUnit(seconds(1));
  account.OnPicture(seconds(1));
  EXPECT_EQ(account.lost(), 0U);
}

using Before = KeyGate::Before;
using Verdict = KeyGate::Verdict;
using Kind = H264Entry::Kind;

/// A gate, and access units at 25 fps; `shown` is when.
class KeyGateTest : public testing::Test {
 protected:
  Verdict Push(Kind kind, Before before = Before::kWhole) {
    return Push({kind, 0}, next_++, before);
  }
  Verdict Push(const H264Entry& entry, int shown, Before before = Before::kWhole) {
    return gate.Pass(entry, Frame(shown, 25), before);
  }
  void Hole() { EXPECT_EQ(Push(Kind::kNone, Before::kHole), Verdict::kDrop); }

  KeyGate gate;

 private:
  int next_ = 0;
};

TEST_F(KeyGateTest, OpensAtTheFirstKeyframe) {
  EXPECT_EQ(Push(Kind::kNone, Before::kHole), Verdict::kDrop);
  EXPECT_EQ(Push(Kind::kNone), Verdict::kDrop);
  EXPECT_EQ(Push(Kind::kIdr), Verdict::kPass);
  EXPECT_EQ(Push(Kind::kNone), Verdict::kPass);
}

TEST_F(KeyGateTest, DropsWhatIsTornAndWhatHasNoReference) {
  EXPECT_EQ(Push(Kind::kIdr, Before::kHole), Verdict::kPass);
  gate.AnnounceHole();
  EXPECT_EQ(Push(Kind::kIdr), Verdict::kDrop);  // torn: it was under way at the hole
  EXPECT_EQ(Push(Kind::kNone, Before::kHole), Verdict::kDrop);
  EXPECT_EQ(Push(Kind::kNone), Verdict::kDrop);
  EXPECT_EQ(Push(Kind::kIdr), Verdict::kPass);
}

TEST_F(KeyGateTest, TakesAKeyframeRightAfterAMarkedHole) {
  EXPECT_EQ(Push(Kind::kIdr, Before::kHole), Verdict::kPass);
  gate.AnnounceHole();
  EXPECT_EQ(Push(Kind::kNone), Verdict::kDrop);
  EXPECT_EQ(Push(Kind::kIdr, Before::kHole), Verdict::kPass);
}

TEST_F(KeyGateTest, GivesUpOnAMarkThatDoesNotCome) {
  EXPECT_EQ(Push(Kind::kIdr, Before::kHole), Verdict::kPass);
  gate.AnnounceHole();
  EXPECT_EQ(Push(Kind::kIdr), Verdict::kDrop);
  EXPECT_EQ(Push(Kind::kIdr), Verdict::kDrop);
  EXPECT_EQ(Push(Kind::kNone), Verdict::kDrop);
  EXPECT_EQ(Push(Kind::kIdr), Verdict::kPass);
}

TEST_F(KeyGateTest, AKeyframeWhoseSizeIsDamagedIsTorn) {
  EXPECT_EQ(Push(Kind::kIdr), Verdict::kPass);
  H264Entry damaged{Kind::kIdr};
  damaged.damaged = true;
  EXPECT_EQ(Push(damaged, 1), Verdict::kDrop);
  EXPECT_EQ(Push({Kind::kNone, 0}, 2), Verdict::kDrop);
  EXPECT_EQ(Push({Kind::kIdr, 0}, 3), Verdict::kPass);
}

TEST_F(KeyGateTest, AnIntraPictureIsNoEntryBehindAHole) {
  EXPECT_EQ(Push(Kind::kIntra), Verdict::kPass);  // a fresh decoder knows what it can decode
  Hole();
  // At a scene cut; what comes behind it may refer to what is missing.
  EXPECT_EQ(Push(Kind::kIntra), Verdict::kDrop);
  EXPECT_EQ(Push(Kind::kNone), Verdict::kDrop);
  EXPECT_EQ(Push(Kind::kIdr), Verdict::kPass);
}

TEST_F(KeyGateTest, AStreamWithoutAnyOtherEntryIsEnteredAtItsIntraPictures) {
  EXPECT_EQ(Push(Kind::kIntra), Verdict::kPass);
  Hole();
  for (int i = 0; i < 2; ++i) EXPECT_EQ(Push(Kind::kIntra), Verdict::kDrop);
  EXPECT_EQ(Push(Kind::kIntra), Verdict::kPass);
  EXPECT_EQ(Push(Kind::kNone), Verdict::kPass);
}

TEST_F(KeyGateTest, WhatIsShownBeforeARecoveryPointIsLeftOut) {
  EXPECT_EQ(Push({Kind::kRecovery, 0}, 8), Verdict::kPass);
  EXPECT_EQ(Push({Kind::kNone, 0}, 6), Verdict::kDrop);
  EXPECT_EQ(Push({Kind::kNone, 0}, 7), Verdict::kDrop);
  EXPECT_EQ(Push({Kind::kNone, 0}, 11), Verdict::kPass);
  EXPECT_EQ(Push({Kind::kNone, 0}, 9), Verdict::kPass);
}

TEST_F(KeyGateTest, AGradualRefreshIsDecodedAndHidden) {
  EXPECT_EQ(Push({Kind::kRecovery, 2}, 0), Verdict::kHide);
  EXPECT_EQ(Push({Kind::kNone, 0}, 1), Verdict::kHide);
  EXPECT_EQ(Push({Kind::kNone, 0}, 2), Verdict::kPass);
  EXPECT_EQ(Push({Kind::kRecovery, 2}, 3), Verdict::kPass);  // nothing is missing any more
}

}  // namespace
}  // namespace framelock::stream
