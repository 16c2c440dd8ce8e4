// SPDX-License-Identifier: Apache-2.0
// Audio that waits for its pictures.
#include "pipeline/stream/audio_line.h"

#include <gtest/gtest.h>

namespace framelock::stream {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

class AudioLineTest : public testing::Test {
 protected:
  void Push(milliseconds at, std::size_t bytes = 100) {
    line_.Push({.at = at, .bytes = bytes, .sample = nullptr});
  }
  std::vector<int> Take(milliseconds picture) {
    std::vector<int> times;
    for (const AudioLine::Unit& unit : line_.TakeUntil(picture)) {
      times.push_back(static_cast<int>(std::chrono::duration_cast<milliseconds>(unit.at).count()));
    }
    return times;
  }
  using Times = std::vector<int>;

  AudioLine line_{{.max_wait = seconds(1), .max_bytes = 10 * (1000 + AudioLine::kUnitCost)}};
};

TEST_F(AudioLineTest, GivesWhatIsDueInItsOrder) {
  EXPECT_EQ(Take(milliseconds(0)), Times());
  for (const int at : {20, 40, 60}) Push(milliseconds(at));
  EXPECT_EQ(Take(milliseconds(33)), Times({20}));
  EXPECT_EQ(Take(milliseconds(33)), Times());
  EXPECT_EQ(Take(milliseconds(60)), Times({40, 60}));
  EXPECT_EQ(line_.counts().passed, 3U);
  EXPECT_EQ(line_.counts().dropped, 0U);
}

TEST_F(AudioLineTest, SoundFromBeforeTheFirstPictureIsDropped) {
  for (const int at : {100, 120, 140}) Push(milliseconds(at));
  EXPECT_EQ(Take(milliseconds(120)), Times({120}));
  EXPECT_EQ(line_.counts().dropped, 1U);
}

TEST_F(AudioLineTest, SoundThatIsLateGoesWithTheNextPicture) {
  Take(milliseconds(0));
  Take(milliseconds(500));
  Push(milliseconds(400));
  EXPECT_EQ(Take(milliseconds(533)), Times({400}));
}

// A piece of sound that a graph made comes as a whole.
TEST_F(AudioLineTest, SoundThatMayComeLateMayComeAllAtOnce) {
  line_.AllowLate(seconds(2));
  Take(milliseconds(0));
  for (int at = 200; at <= 2000; at += 200) Push(milliseconds(at), 0);
  EXPECT_EQ(Take(milliseconds(2000)).size(), 10U);
  EXPECT_EQ(line_.counts().dropped, 0U);
}

TEST_F(AudioLineTest, WithoutPicturesItHoldsSoMuchTimeAndDropsTheOldest) {
  Take(milliseconds(0));
  for (int at = 100; at <= 5000; at += 100) Push(milliseconds(at));
  EXPECT_EQ(line_.counts().dropped, 39U);
  EXPECT_EQ(Take(milliseconds(4100)), Times({4000, 4100}));
}

TEST_F(AudioLineTest, HoldsSoManyBytesAndDropsTheOldest) {
  Take(milliseconds(0));
  for (int at = 1; at <= 15; ++at) Push(milliseconds(at), 1000);
  EXPECT_EQ(line_.counts().dropped, 5U);
  EXPECT_EQ(Take(milliseconds(7)), Times({6, 7}));
  for (int at = 16; at <= 17; ++at) Push(milliseconds(at), 1000);
  EXPECT_EQ(line_.counts().dropped, 5U);
}

TEST_F(AudioLineTest, AUnitThatNeverFitsIsDropped) {
  Push(milliseconds(1), 1'000'000);
  EXPECT_EQ(line_.counts().dropped, 1U);
  Push(milliseconds(2));
  Take(milliseconds(0));
  EXPECT_EQ(Take(milliseconds(2)), Times({2}));
}

TEST_F(AudioLineTest, UnitsOfAnotherTimelineDoNotHoldUpOthers) {
  Take(milliseconds(10'000));
  Push(seconds(3600));
  Push(milliseconds(10'020));
  EXPECT_EQ(Take(milliseconds(10'033)), Times({10'020}));
  Push(milliseconds(10));
  EXPECT_EQ(Take(milliseconds(10'066)), Times());
  EXPECT_EQ(line_.counts().dropped, 2U);
}

TEST_F(AudioLineTest, AUnitWithATimeThatIsTooLateHoldsUpNoOther) {
  Take(milliseconds(0));
  Push(milliseconds(20));
  Push(milliseconds(900));
  for (const int at : {40, 60, 80}) Push(milliseconds(at));
  EXPECT_EQ(Take(milliseconds(66)), Times({20, 40, 60}));
  EXPECT_EQ(Take(milliseconds(99)), Times({80}));
  EXPECT_EQ(Take(milliseconds(900)), Times());
  EXPECT_EQ(line_.counts().dropped, 1U);
}

TEST_F(AudioLineTest, WhatHasNoPictureAtTheEndIsCounted) {
  Take(milliseconds(0));
  for (const int at : {20, 40, 60}) Push(milliseconds(at));
  EXPECT_EQ(Take(milliseconds(33)), Times({20}));
  line_.End();
  Push(milliseconds(80));
  EXPECT_EQ(line_.counts().dropped, 3U);
  EXPECT_EQ(Take(milliseconds(100)), Times());
}

TEST_F(AudioLineTest, WhatWaitsWhenTheTrackEndsStillGoesOut) {
  Take(milliseconds(0));
  line_.Open(nullptr);
  Push(milliseconds(20));
  line_.Close();
  EXPECT_EQ(Take(milliseconds(33)), Times({20}));
}

TEST_F(AudioLineTest, TellsTheFormatThatWasAnnouncedUntilAUnitHasOne) {
  gst_init(nullptr, nullptr);
  EXPECT_EQ(line_.Format(), nullptr);
  line_.Open(CapsPtr(gst_caps_new_empty_simple("audio/x-ac3")));
  ASSERT_NE(line_.Format(), nullptr);
  const CapsPtr opus(gst_caps_new_empty_simple("audio/x-opus"));
  line_.Push({.at = milliseconds(1),
              .bytes = 1,
              .sample = SamplePtr(gst_sample_new(nullptr, opus.get(), nullptr, nullptr))});
  EXPECT_TRUE(gst_caps_is_equal(line_.Format().get(), opus.get()));
  line_.Close();
  Take(milliseconds(0));
  Take(milliseconds(1));
  EXPECT_EQ(line_.Format(), nullptr);
}

}  // namespace
}  // namespace framelock::stream
