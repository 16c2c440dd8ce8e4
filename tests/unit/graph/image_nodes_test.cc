// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "node_probe.h"
#include "workers/nodes/node_list.h"

namespace framelock::nodes {
namespace {

using graph::NodeProbe;
using graph::Tensor;
using graph::TensorShape;
using graph::Value;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::int64_t kHuge = std::numeric_limits<std::int64_t>::max();

Value Whole(std::int64_t value) { return value; }
Value Text(const char* text) { return std::string(text); }

std::vector<Value> Stitch(const Tensor& a, const Tensor& b, const char* direction, bool match,
                          std::int64_t spacing, const char* color) {
  return {a, Text(direction), match, Whole(spacing), Text(color), b};
}

TEST(ImageStitchTest, PadsBeforeItAddsAlpha) {
  NodeProbe probe(ImageStitch());
  const Tensor opaque = probe.Make({1, 1, 1, 3}, {0.5F});
  const Tensor clear = probe.Make({1, 2, 1, 4}, {0.25F});
  EXPECT_THAT(probe.Run(Stitch(opaque, clear, "right", false, 1, "green")), IsEmpty());
  EXPECT_EQ(probe.image().shape(), (TensorShape{1, 2, 4, 4}));
  EXPECT_THAT(probe.floats(),
              ElementsAre(0.5F, 0.5F, 0.5F, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0.25F, 0.25F, 0.25F, 0.25F,
                          0, 0, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0.25F, 0.25F, 0.25F, 0.25F));
}

TEST(ImageStitchTest, TheLastPictureOfAShorterBatchRepeats) {
  NodeProbe probe(ImageStitch());
  const Tensor three = probe.Make({3, 1, 1, 1}, {0.1F, 0.2F, 0.3F});
  const Tensor two = probe.Make({2, 1, 1, 1}, {0.8F, 0.9F});
  EXPECT_THAT(probe.Run(Stitch(three, two, "up", false, 0, "black")), IsEmpty());
  EXPECT_THAT(probe.floats(), ElementsAre(0.8F, 0.1F, 0.9F, 0.2F, 0.9F, 0.3F));
}

TEST(ImageStitchTest, RefusesWhatCannotBeStitched) {
  NodeProbe probe(ImageStitch());
  const Tensor dot = probe.Make({1, 1, 1, 3}, {0});
  const Tensor line = probe.Make({1, 9, 1, 3}, {0});
  const Tensor nothing = probe.Make({0, 1, 1, 3}, {0});
  EXPECT_THAT(probe.Run(Stitch(dot, line, "left", true, 0, "red")), HasSubstr("must be > 0"));
  EXPECT_THAT(probe.Run(Stitch(dot, dot, "down", false, kHuge, "red")), HasSubstr("spacing_width"));
  EXPECT_THAT(probe.Run(Stitch(dot, nothing, "down", false, 0, "red")), HasSubstr("empty batch"));
  EXPECT_THAT(probe.Run(Stitch(dot, dot, "down", false, 0, "grey")), HasSubstr("spacing_color"));
  EXPECT_THAT(probe.Run(Stitch(dot, dot, "down", false, -3, "red")), IsEmpty());
}

TEST(ImagePadForOutpaintTest, TheMaskFollowsThePadding) {
  NodeProbe probe(ImagePadForOutpaint());
  const Tensor image = probe.Make({1, 3, 3, 1}, {1});
  const auto run = [&](std::int64_t left, std::int64_t top, std::int64_t feathering) {
    return probe.Run({image, Whole(left), Whole(top), Whole(0), Whole(0), Whole(feathering)});
  };
  EXPECT_THAT(run(0, 1, 1), IsEmpty());
  EXPECT_THAT(probe.floats(1), ElementsAre(1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0));
  EXPECT_THAT(run(1, 0, 1), IsEmpty());
  EXPECT_THAT(probe.floats(0), ElementsAre(0.5F, 1, 1, 1, 0.5F, 1, 1, 1, 0.5F, 1, 1, 1));
  EXPECT_THAT(probe.floats(1), ElementsAre(1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0));
  EXPECT_THAT(run(1, 0, kHuge), IsEmpty());
  EXPECT_THAT(probe.floats(1), ElementsAre(1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0));
  EXPECT_THAT(run(-1, 0, 0), HasSubstr("-1"));
  EXPECT_THAT(run(kHuge, 0, 0), HasSubstr("is not within"));
}

TEST(ImagePadForOutpaintTest, EachPictureHasAMask) {
  NodeProbe probe(ImagePadForOutpaint());
  const auto run = [&](std::uint32_t batch) {
    return probe.Run(
        {probe.Make({batch, 1, 1, 3}, {1}), Whole(1), Whole(0), Whole(0), Whole(0), Whole(0)});
  };
  EXPECT_THAT(run(1), IsEmpty());
  EXPECT_THAT(run(2), IsEmpty());
  EXPECT_THAT(probe.floats(1), ElementsAre(1, 0, 1, 0));
  EXPECT_THAT(run(0), IsEmpty());
  EXPECT_THAT(probe.floats(1), IsEmpty());
}

TEST(ImagePadForOutpaintTest, APictureWithoutPixelsDoesNotGrowBeyondAllBounds) {
  NodeProbe probe(ImagePadForOutpaint());
  const Tensor line = probe.Make({1, 1U << 20, 0, 3}, {0});
  EXPECT_THAT(probe.Run({line, Whole(1), Whole(1), Whole(0), Whole(0), Whole(0)}),
              HasSubstr("is not within"));
}

TEST(BatchNodesTest, OthersGetTheSizeOfTheFirstAndTheChannelsOfTheRichest) {
  NodeProbe probe(BatchImages());
  const Tensor small = probe.Make({1, 1, 1, 3}, {0.5F});
  const Tensor large = probe.Make({2, 1, 3, 4}, {0.25F});
  EXPECT_THAT(probe.Run({small, Value(), large}), IsEmpty());
  EXPECT_EQ(probe.image().shape(), (TensorShape{3, 1, 1, 4}));
  EXPECT_THAT(probe.floats(), ElementsAre(0.5F, 0.5F, 0.5F, 1, 0.25F, 0.25F, 0.25F, 0.25F, 0.25F,
                                          0.25F, 0.25F, 0.25F));
  EXPECT_THAT(probe.Run({small, probe.Make({1, 0, 1, 3}, {0})}), HasSubstr("greater than 0"));
  EXPECT_THAT(probe.Run({small, small}), IsEmpty());
  EXPECT_EQ(probe.image().shape().batch, 2U) << "the failed batch was forgotten";
}

TEST(BatchNodesTest, MasksGoTogetherToo) {
  NodeProbe probe(BatchMasks());
  EXPECT_THAT(probe.Run({probe.MakeMask(1, 2, {0, 1}), probe.MakeMask(1, 2, {0.5F})}), IsEmpty());
  EXPECT_EQ(probe.image().shape(), (TensorShape{2, 1, 2, 1, graph::TensorLayout::kMask}));
  EXPECT_THAT(probe.floats(), ElementsAre(0, 1, 0.5F, 0.5F));
}

TEST(RepeatImageBatchTest, RefusesNegativeAndHugeNumbers) {
  NodeProbe probe(RepeatImageBatch());
  const Tensor two = probe.Make({2, 1, 1, 1}, {0.1F, 0.2F});
  EXPECT_THAT(probe.Run({two, Whole(2)}), IsEmpty());
  EXPECT_THAT(probe.floats(), ElementsAre(0.1F, 0.2F, 0.1F, 0.2F));
  EXPECT_THAT(probe.Run({two, Whole(0)}), IsEmpty());
  EXPECT_EQ(probe.image().shape().batch, 0U);
  EXPECT_THAT(probe.Run({two, Whole(-1)}), HasSubstr("-1"));
  EXPECT_THAT(probe.Run({two, Whole(1 << 20)}), HasSubstr("is not within"));
  EXPECT_THAT(probe.Run({two, Whole(kHuge)}), HasSubstr("is not within"));
}

TEST(ImageFromBatchTest, RefusesNegativePositions) {
  NodeProbe probe(ImageFromBatch());
  const Tensor three = probe.Make({3, 1, 1, 1}, {0.1F, 0.2F, 0.3F});
  EXPECT_THAT(probe.Run({three, Whole(1), Whole(kHuge)}), IsEmpty());
  EXPECT_THAT(probe.floats(), ElementsAre(0.2F, 0.3F));
  EXPECT_THAT(probe.Run({three, Whole(kHuge), Whole(1)}), IsEmpty());
  EXPECT_THAT(probe.floats(), ElementsAre(0.3F));
  EXPECT_THAT(probe.Run({three, Whole(-1), Whole(1)}), HasSubstr("cannot take"));
  EXPECT_THAT(probe.Run({three, Whole(0), Whole(-1)}), HasSubstr("cannot take"));
}

TEST(ImageSizeNodesTest, CountPixelsAndPictures) {
  const auto number = [](const NodeProbe& probe, std::size_t output) {
    return std::get<std::int64_t>(probe.output(output));
  };
  NodeProbe size(GetImageSize());
  EXPECT_THAT(size.Run({size.Make({2, 3, 5, 4}, {0})}), IsEmpty());
  EXPECT_EQ(number(size, 0), 5);
  EXPECT_EQ(number(size, 1), 3);
  EXPECT_EQ(number(size, 2), 2);
  NodeProbe shape(ImageShape());
  EXPECT_THAT(shape.Run({shape.Make({2, 3, 5, 4}, {0})}), IsEmpty());
  EXPECT_EQ(number(shape, 0), 5);
  EXPECT_EQ(number(shape, 1), 3);
}

TEST(ImageLevelsTest, ThePointsMustAscend) {
  NodeProbe probe(ImageLevels());
  const Tensor image = probe.Make({1, 1, 1, 3}, {0, 0.5F, 1});
  EXPECT_THAT(probe.Run({image, 0.0, 0.5, 1.0, true}), IsEmpty());
  EXPECT_NEAR(probe.floats()[1], 0.5F, 1e-6);
  const std::vector<std::array<double, 3>> wrong{
      {-0.1, 0.5, 1.0},
      {0.5, 0.5, 1.0},
      {0.0, 0.6, 0.6},
      {0.0, 0.5, 1.1},
      {0.0, std::numeric_limits<double>::quiet_NaN(), 1.0}};
  for (const auto& [black, mid, white] : wrong) {
    EXPECT_THAT(probe.Run({image, black, mid, white, true}), HasSubstr("ascend"));
  }
}

TEST(PosterizeTest, TakesNoAlpha) {
  NodeProbe probe(Posterize());
  EXPECT_THAT(probe.Run({probe.Make({1, 1, 1, 4}, {1}), Whole(4)}), HasSubstr("4 channels"));
}

TEST(ImageLevelsTest, TakesNoAlpha) {
  NodeProbe probe(ImageLevels());
  EXPECT_THAT(probe.Run({probe.Make({1, 1, 1, 4}, {1}), 0.0, 0.5, 1.0, true}),
              HasSubstr("4 channels"));
}

// By links; each goes by the first letters.
TEST(ImageFlipTest, AnotherWordChangesNothing) {
  NodeProbe probe(ImageFlip());
  const Tensor row = probe.Make({1, 1, 2, 1}, {1, 2});
  EXPECT_THAT(probe.Run({row, std::string("zzz")}), IsEmpty());
  EXPECT_THAT(probe.floats(), ElementsAre(1, 2));
  EXPECT_THAT(probe.Run({row, std::string("y")}), IsEmpty());
  EXPECT_THAT(probe.floats(), ElementsAre(2, 1));
}

TEST(ImageRotateTest, AnotherWordChangesNothing) {
  NodeProbe probe(ImageRotate());
  const Tensor row = probe.Make({1, 1, 2, 1}, {1, 2});
  EXPECT_THAT(probe.Run({row, std::string("zzz")}), IsEmpty());
  EXPECT_THAT(probe.floats(), ElementsAre(1, 2));
  EXPECT_THAT(probe.Run({row, std::string("180")}), IsEmpty());
  EXPECT_THAT(probe.floats(), ElementsAre(2, 1));
}

TEST(IntAddTest, OnlyTheSumMustFit) {
  NodeProbe probe(IntAdd());
  EXPECT_THAT(probe.Run({Whole(INT64_MAX), Whole(1), Whole(-INT64_MAX)}), IsEmpty());
  EXPECT_EQ(std::get<std::int64_t>(probe.output()), 1);
  EXPECT_THAT(probe.Run({Whole(INT64_MAX), Whole(1)}), HasSubstr("64 bits"));
}

TEST(ImageLuminanceTest, NeedsColours) {
  NodeProbe probe(ImageLuminance());
  EXPECT_THAT(probe.Run({probe.Make({1, 1, 1, 3}, {1, 0, 0})}), IsEmpty());
  EXPECT_THAT(probe.floats(), ElementsAre(0.2126F, 0.2126F, 0.2126F));
  EXPECT_THAT(probe.Run({probe.Make({1, 1, 1, 1}, {1})}), HasSubstr("1 channels"));
  EXPECT_THAT(probe.Run({probe.Make({1, 1, 1, 4}, {1})}), HasSubstr("4 channels"));
}

TEST(ImageAddNoiseTest, IsTheSameOnEveryFrameOfASize) {
  NodeProbe probe(ImageAddNoise());
  const auto run = [&](std::uint32_t width, std::int64_t seed) {
    EXPECT_THAT(probe.Run({probe.Make({1, 1, width, 1}, {0.5F}), Whole(seed), 0.1}), IsEmpty());
    return probe.floats();
  };
  const std::vector<float> noisy = run(3, 42);
  EXPECT_NEAR(noisy[0], 0.5 + 0.1 * 0.33669, 1e-5);
  EXPECT_EQ(run(3, 42), noisy);
  EXPECT_NE(run(3, 43), noisy);
  EXPECT_EQ(run(40, 42).size(), 40U);
  EXPECT_EQ(run(3, 42), noisy);
}

TEST(ImageQuantizeTest, TakesEveryPictureOfABatchByItself) {
  NodeProbe probe(ImageQuantize());
  const Tensor two = probe.Make({2, 1, 1, 3}, {1, 0, 0, 0, 0, 1});
  EXPECT_THAT(probe.Run({two, Whole(1), Text("none")}), IsEmpty());
  EXPECT_THAT(probe.floats(), ElementsAre(1, 0, 0, 0, 0, 1));
}

TEST(ImageQuantizeTest, ValuesBeyondAByteWrap) {
  NodeProbe probe(ImageQuantize());
  const Tensor loud =
      probe.Make({1, 1, 1, 3}, {1.2F, -0.1F, std::numeric_limits<float>::infinity()});
  EXPECT_THAT(probe.Run({loud, Whole(4), Text("none")}), IsEmpty());
  EXPECT_THAT(probe.floats(), ElementsAre(50.0F / 255, 231.0F / 255, 0));
}

TEST(ImageQuantizeTest, RefusesWhatIsNoPicture) {
  NodeProbe probe(ImageQuantize());
  const Tensor dot = probe.Make({1, 1, 1, 3}, {1});
  EXPECT_THAT(probe.Run({dot, Whole(0), Text("none")}), HasSubstr("colors"));
  EXPECT_THAT(probe.Run({dot, Whole(257), Text("none")}), HasSubstr("colors"));
  EXPECT_THAT(probe.Run({probe.Make({1, 1, 1, 4}, {1}), Whole(2), Text("none")}),
              HasSubstr("red, green and blue"));
  EXPECT_THAT(probe.Run({probe.Make({1, 0, 1, 3}, {1}), Whole(2), Text("none")}),
              HasSubstr("red, green and blue"));
}

}  // namespace
}  // namespace framelock::nodes
