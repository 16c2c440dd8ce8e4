// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <vector>

#include "pipeline/stream/pts_fill.h"
#include "pipeline/stream/pts_unwrap.h"

namespace framelock::stream {
namespace {

using std::chrono::duration_cast;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr TsTicks kWrap{TsStamp::kRange};

// Of frame k, 3753.75 ticks after the one before, as a muxer rounds it.
nanoseconds Film(int k) { return duration_cast<nanoseconds>(TsTicks(k * 15'015 / 4)); }

TEST(PtsFill, InfersATimeInAnEvenStream) {
  PtsFill fill;
  for (int k = 0; k < 200; ++k) {
    const bool bare = k > 10 && k % 9 < 3;
    const auto pts = fill.Push(bare ? std::nullopt : std::optional(Film(k)));
    ASSERT_TRUE(pts) << k;
    EXPECT_LE(std::chrono::abs(*pts - Film(k)), duration_cast<nanoseconds>(TsTicks(1))) << k;
  }
}

TEST(PtsFill, SaysWhatIsNotCertain) {
  PtsFill fill;
  EXPECT_FALSE(fill.Push(std::nullopt));
  for (int k = 0; k < 8; ++k) EXPECT_TRUE(fill.Push(Film(k)));
  EXPECT_FALSE(fill.Push(std::nullopt));  // seven steps prove nothing yet
  for (int k = 9; k < 20; ++k) EXPECT_EQ(fill.Push(Film(k)), Film(k));
  EXPECT_TRUE(fill.Push(std::nullopt));
  // After a step of another length it starts anew.
  EXPECT_TRUE(fill.Push(Film(21) + milliseconds(5)));
  EXPECT_FALSE(fill.Push(std::nullopt));
}

TEST(PtsFill, DoesNotInferForEver) {
  PtsFill fill;
  for (int k = 0; k < 20; ++k) fill.Push(Film(k));
  for (int k = 20; k < 28; ++k) EXPECT_TRUE(fill.Push(std::nullopt)) << k;
  EXPECT_FALSE(fill.Push(std::nullopt));
}

TEST(PtsFill, InfersNothingAmongReorderedPictures) {
  PtsFill fill;
  for (int k = 0; k < 100; ++k) {
    fill.Push(Film(k / 4 * 4 + std::vector{3, 1, 2, 4}[k % 4u]));
    if (k % 10 == 9) {
      EXPECT_FALSE(fill.Push(std::nullopt));
    }
  }
}

TEST(PtsUnwrap, PutsTimesBackOnTheirLine) {
  PtsUnwrap unwrap;
  for (int minute = 0; minute < 100 * 60; ++minute) {
    const nanoseconds pts = std::chrono::minutes(minute);
    // Every fifth comes a wrap too early, every seventh one too late.
    TsTicks wrong{0};
    if (minute > 0 && minute % 5 == 0) wrong = -kWrap;
    if (minute > 0 && minute % 7 == 0) wrong = kWrap;
    const nanoseconds seen = pts + duration_cast<nanoseconds>(wrong);
    EXPECT_LE(std::chrono::abs(unwrap(seen) - pts), nanoseconds(1)) << minute;
  }
}

TEST(PtsUnwrap, LeavesStepsAsTheyAre) {
  PtsUnwrap unwrap;
  for (const nanoseconds pts :
       {nanoseconds(hours(3)), nanoseconds(hours(15)), nanoseconds(hours(4)),
        nanoseconds(seconds(1)), nanoseconds(hours(13))}) {
    EXPECT_EQ(unwrap(pts), pts);
  }
}

}  // namespace
}  // namespace framelock::stream
