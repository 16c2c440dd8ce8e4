// SPDX-License-Identifier: Apache-2.0
// Another track's times by those of the video.
#include "pipeline/stream/video_time.h"

#include <gtest/gtest.h>

namespace framelock::stream {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

// 2^33 ticks of 90 kHz.
constexpr nanoseconds kWrap(95'443'717'688'888);

GstSegment From(nanoseconds start, nanoseconds base = nanoseconds(0)) {
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  segment.start = static_cast<guint64>(start.count());
  segment.base = static_cast<guint64>(base.count());
  return segment;
}

TEST(VideoTime, IsUnknownBeforeTheFirstAccessUnit) {
  EXPECT_FALSE(VideoTime().RunningTime(seconds(1)));
}

TEST(VideoTime, FollowsTheVideosSegment) {
  VideoTime time;
  time.Follow(From(seconds(10)), seconds(11));
  EXPECT_EQ(time.RunningTime(milliseconds(11'020)), milliseconds(1020));
  time.Follow(From(seconds(20), milliseconds(5033)), seconds(20));
  EXPECT_EQ(time.RunningTime(milliseconds(20'010)), milliseconds(5043));
}

TEST(VideoTime, WhatLiesBeforeTheSegmentHasNone) {
  VideoTime time;
  time.Follow(From(seconds(10)), seconds(11));
  EXPECT_FALSE(time.RunningTime(milliseconds(9'999)));
  time.Follow(From(seconds(0)), milliseconds(1));
  EXPECT_FALSE(time.RunningTime(kWrap - milliseconds(1)));
}

TEST(VideoTime, StaysOnTheVideosSideOfAWrap) {
  VideoTime time;
  time.Follow(From(seconds(0)), 2 * kWrap + milliseconds(10));
  const auto ahead = time.RunningTime(milliseconds(20));
  const auto behind = time.RunningTime(kWrap - milliseconds(20));
  ASSERT_TRUE(ahead && behind);
  EXPECT_LE(abs(*ahead - (2 * kWrap + milliseconds(20))), nanoseconds(2));
  EXPECT_LE(abs(*behind - (2 * kWrap - milliseconds(20))), nanoseconds(2));
}

}  // namespace
}  // namespace framelock::stream
