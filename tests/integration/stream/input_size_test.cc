// SPDX-License-Identifier: Apache-2.0
// The input's pictures may change their size at any keyframe, within limits.
#include <gst/gst.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/integration/stream/pipeline_run.h"
#include "tests/support/ts_edit.h"

namespace framelock::stream {
namespace {

// 4:4:4 has odd sizes too.
constexpr char kAnySize[] =
    "video/x-raw,format=Y444 ! x264enc tune=zerolatency speed-preset=ultrafast threads=1 "
    "key-int-max=30 ! h264parse config-interval=-1";

class InputSizeTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    gst_init(nullptr, nullptr);
    fake::Register();
  }

  struct Size {
    int width, height;
  };
  // `frames` of each size, one stream, one clock.
  static Bytes Sizes(const std::vector<Size>& sizes, int frames) {
    std::vector<Bytes> parts;
    std::uint32_t number = 0;
    for (const Size& size : sizes) {
      parts.push_back(MakeSample({.width = size.width,
                                  .height = size.height,
                                  .frames = frames,
                                  .first_number = number,
                                  .encoder = kAnySize}));
      number += static_cast<std::uint32_t>(frames);
    }
    return test::Splice(parts);
  }
};

TEST_F(InputSizeTest, ChangesTenTimesWithoutLosingAFrame) {
  const std::vector<Size> sizes = {{320, 240}, {640, 360},  {17, 31},  {1920, 1440},
                                   {321, 241}, {2, 2},      {512, 64}, {64, 512},
                                   {320, 240}, {1280, 721}, {320, 240}};
  const auto run = PipelineRun::Of(Sizes(sizes, 12));
  EXPECT_EQ(run.failure, "");
  ASSERT_EQ(run.frames.size(), sizes.size() * 12);
  for (std::size_t i = 0; i < run.frames.size(); ++i) {
    const SeenFrame& frame = run.frames[i];
    EXPECT_EQ(frame.width, 320);
    EXPECT_EQ(frame.height, 240);
    // Where the stamp survives the crop, the picture is that of its time.
    const Size& size = sizes[i / 12];
    if (size.width * 3 == size.height * 4) {
      EXPECT_TRUE(frame.read && frame.read->stamp.number == i) << i;
    }
    const auto at = static_cast<std::int64_t>(i) * 3000;
    EXPECT_LE(std::abs(frame.pts_ticks - run.frames[0].pts_ticks - at), 1) << i;
  }
  EXPECT_EQ(run.status.decode_errors, 0u);
}

TEST_F(InputSizeTest, ASizeBeyondTheLimitIsAClearError) {
  StreamPipeline::Options options = PipelineRun::Options();
  options.config.max_input_pixels = 640 * 360;
  EXPECT_EQ(PipelineRun::Of(Sizes({{320, 240}, {640, 360}}, 5), options).failure, "");
  const auto run = PipelineRun::Of(Sizes({{320, 240}, {642, 360}, {320, 240}}, 5), options);
  EXPECT_EQ(run.failure, "input video is 642x360: more than max_input_pixels (230400) allows");
  EXPECT_LE(run.frames.size(), 5u);
}

TEST_F(InputSizeTest, The8KOfAForeignCameraNeverReachesTheDecoder) {
  const auto run = PipelineRun::Of(Sizes({{7680, 4320}}, 1));
  EXPECT_EQ(run.failure, "input video is 7680x4320: more than max_input_pixels (9437184) allows");
  EXPECT_EQ(run.input("pictures"), 0u);
}

TEST_F(InputSizeTest, WhatIsCroppedAwayCountsForTheDecoder) {
  StreamPipeline::Options options = PipelineRun::Options();
  options.config.max_input_pixels = 320 * 240;
  const auto run = PipelineRun::Of(
      MakeSample({.width = 640,
                  .height = 480,
                  .frames = 5,
                  .encoder = "x264enc tune=zerolatency speed-preset=ultrafast threads=1 "
                             "option-string=\"crop-rect=0,0,576,416\" ! "
                             "h264parse config-interval=-1"}),
      options);
  EXPECT_EQ(run.failure, "input video is 640x480: more than max_input_pixels (76800) allows");
  EXPECT_EQ(run.input("pictures"), 0u);
}

}  // namespace
}  // namespace framelock::stream
