// SPDX-License-Identifier: Apache-2.0
// Another size for the graph's input, while pictures flow.
#include <gst/gst.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/integration/stream/pipeline_run.h"

namespace framelock::stream {
namespace {

std::string SizeOf(const SeenFrame& frame) {
  return std::to_string(frame.width) + "x" + std::to_string(frame.height);
}

class TargetSizeTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    gst_init(nullptr, nullptr);
    fake::Register();
  }

  // All frames of `video`, when the filter wishes for sizes.
  std::vector<SeenFrame> Run(const std::vector<fake::SizeWish>& wishes) const {
    fake::Play(fake::Cut(MakeSample(video_), 1316), fake::AtEnd::kEndOfStream);
    fake::WishFor(wishes);
    const PipelineRun run = PipelineRun::Replay(PipelineRun::Untimed(512, 512));
    EXPECT_EQ(run.failure, "");
    return Decode(fake::Published(), video_);
  }

  const SampleVideo video_{.width = 512, .height = 512, .stamped_middle = true};
};

TEST_F(TargetSizeTest, ChangesFromThePictureOnThatFollowsTheWish) {
  const auto frames = Run({{20, 768, 432}, {40, 512, 512}});
  ASSERT_EQ(frames.size(), 60U);
  for (int i = 0; i < 60; ++i) {
    const SeenFrame& frame = frames[static_cast<std::size_t>(i)];
    EXPECT_EQ(SizeOf(frame), i >= 20 && i < 40 ? "768x432" : "512x512") << i;
    ASSERT_TRUE(frame.read) << i;
    EXPECT_EQ(frame.read->stamp.number, static_cast<std::uint32_t>(i));
    EXPECT_TRUE(frame.read->inverted);
    EXPECT_EQ(frame.pts_ticks - frames[0].pts_ticks, i * 3000);
  }
}

TEST_F(TargetSizeTest, TheSizeWishedForLastCounts) {
  const auto frames = Run({{20, 320, 320}, {20, 640, 640}, {20, 384, 384}});
  ASSERT_EQ(frames.size(), 60U);
  EXPECT_EQ(SizeOf(frames[19]), "512x512");
  for (std::size_t i = 20; i < 60; ++i) {
    EXPECT_EQ(SizeOf(frames[i]), "384x384") << i;
    ASSERT_TRUE(frames[i].read) << i;
  }
}

TEST_F(TargetSizeTest, MayChangeWithEachPicture) {
  std::vector<fake::SizeWish> wishes;
  for (int i = 1; i < 60; ++i) wishes.push_back({i, i % 2 == 1 ? 432 : 512, 512});
  const auto frames = Run(wishes);
  ASSERT_EQ(frames.size(), 60U);
  for (std::size_t i = 0; i < 60; ++i) {
    EXPECT_EQ(frames[i].width, i % 2 == 1 ? 432 : 512) << i;
    ASSERT_TRUE(frames[i].read) << i;
    EXPECT_EQ(frames[i].read->stamp.number, i);
  }
}

}  // namespace
}  // namespace framelock::stream
