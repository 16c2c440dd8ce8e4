// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "node_probe.h"
#include "workers/nodes/node_list.h"

namespace framelock::nodes {
namespace {

using graph::NodeProbe;
using graph::Tensor;
using graph::Value;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::int64_t Whole(std::int64_t value) { return value; }

TEST(CropMaskTest, TakesWhatIsThere) {
  NodeProbe probe(CropMask());
  const Tensor mask = probe.MakeMask(2, 3, {1, 2, 3, 4, 5, 6}, 2);
  EXPECT_THAT(probe.Run({mask, Whole(1), Whole(1), Whole(9), Whole(9)}), IsEmpty());
  EXPECT_EQ(probe.image().shape(), (graph::TensorShape{2, 1, 2, 1, graph::TensorLayout::kMask}));
  EXPECT_THAT(probe.floats(), ElementsAre(5, 6, 5, 6));
  EXPECT_THAT(probe.Run({mask, Whole(3), Whole(0), Whole(1), Whole(INT64_MAX)}), IsEmpty());
  EXPECT_EQ(probe.image().shape().width, 0U);
  EXPECT_EQ(probe.image().shape().height, 2U);
}

TEST(CropMaskTest, RefusesNegativeNumbersAndEmptyMasks) {
  NodeProbe probe(CropMask());
  const Tensor mask = probe.MakeMask(2, 3, {1});
  EXPECT_THAT(probe.Run({mask, Whole(-1), Whole(0), Whole(1), Whole(1)}), HasSubstr("negative"));
  EXPECT_THAT(probe.Run({mask, Whole(0), Whole(0), Whole(1), Whole(-1)}), HasSubstr("negative"));
  EXPECT_THAT(probe.Run({probe.MakeMask(0, 3, {1}), Whole(0), Whole(0), Whole(1), Whole(1)}),
              HasSubstr("empty"));
}

TEST(MaskCompositeTest, AShorterSourceBatchOfOneCountsForAll) {
  NodeProbe probe(MaskComposite());
  const Tensor destination = probe.MakeMask(1, 2, {0.25F, 0.5F, 0.75F, 1}, 2);
  const Tensor source = probe.MakeMask(1, 1, {0.5F});
  EXPECT_THAT(probe.Run({destination, source, Whole(1), Whole(0), std::string("multiply")}),
              IsEmpty());
  EXPECT_THAT(probe.floats(), ElementsAre(0.25F, 0.25F, 0.75F, 0.5F));
}

TEST(MaskCompositeTest, RefusesWhatDoesNotMeet) {
  NodeProbe probe(MaskComposite());
  const Tensor destination = probe.MakeMask(4, 4, {0.5F});
  const Tensor two = probe.MakeMask(4, 4, {0.5F}, 2);
  const std::string add = "add";
  EXPECT_THAT(probe.Run({destination, two, Whole(0), Whole(0), add}), HasSubstr("dimension 0"));
  EXPECT_THAT(probe.Run({destination, destination, Whole(5), Whole(0), add}),
              HasSubstr("tensor a (0) must match the size of tensor b (3)"));
  EXPECT_THAT(probe.Run({destination, destination, Whole(0), Whole(6), add}),
              HasSubstr("dimension 1"));
  EXPECT_THAT(probe.Run({destination, destination, Whole(-1), Whole(0), add}),
              HasSubstr("negative"));
  EXPECT_THAT(probe.Run({destination, destination, Whole(0), Whole(0), std::string("nand")}),
              HasSubstr("nand"));
}

TEST(MaskCompositeTest, FarOutsideNothingMeets) {
  NodeProbe probe(MaskComposite());
  const Tensor destination = probe.MakeMask(2, 2, {2.0F});
  // Counted from its own end, nothing is left of the source: that is allowed, and so is one pixel.
  for (const std::int64_t x : {Whole(3), Whole(4), Whole(1000), Whole(INT64_MAX)}) {
    EXPECT_THAT(probe.Run({destination, destination, x, Whole(0), std::string("add")}), IsEmpty())
        << x;
    EXPECT_THAT(probe.floats(), ElementsAre(1, 1, 1, 1));
  }
}

TEST(FeatherMaskTest, RampsLongerThanTheMaskAreCut) {
  NodeProbe probe(FeatherMask());
  const Tensor one = probe.MakeMask(1, 1, {1});
  EXPECT_THAT(probe.Run({one, Whole(5), Whole(5), Whole(5), Whole(5)}), IsEmpty());
  EXPECT_THAT(probe.floats(), ElementsAre(1));
  const Tensor row = probe.MakeMask(1, 4, {1});
  EXPECT_THAT(probe.Run({row, Whole(0), Whole(0), Whole(9), Whole(0)}), IsEmpty());
  EXPECT_THAT(probe.floats(), ElementsAre(0.25F, 1, 0.75F, 0.5F));
  EXPECT_THAT(probe.Run({row, Whole(-3), Whole(0), Whole(0), Whole(0)}), IsEmpty());
  EXPECT_THAT(probe.floats(), ElementsAre(1, 1, 1, 1));
}

TEST(GrowMaskTest, ReachesAsFarAsItIsTold) {
  NodeProbe probe(GrowMask());
  const Tensor mask = probe.MakeMask(3, 3, {0, 0, 0, 0, 1, 0, 0, 0, 0}, 2);
  EXPECT_THAT(probe.Run({mask, Whole(1), true}), IsEmpty());
  EXPECT_THAT(probe.floats(), ElementsAre(0, 1, 0, 1, 1, 1, 0, 1, 0, 0, 1, 0, 1, 1, 1, 0, 1, 0));
  EXPECT_THAT(probe.Run({mask, Whole(INT64_MIN), false}), IsEmpty());
  EXPECT_THAT(probe.floats(), testing::Each(0));
  EXPECT_THAT(probe.Run({probe.MakeMask(3, 0, {0}), Whole(1), true}), HasSubstr("empty"));
}

TEST(MorphologyTest, RefusesAWindowWithoutPixels) {
  NodeProbe probe(Morphology());
  const Tensor image = probe.Make({1, 1, 1, 3}, {0.5F});
  EXPECT_THAT(probe.Run({image, std::string("erode"), Whole(0)}), HasSubstr("kernel_size"));
  EXPECT_THAT(probe.Run({image, std::string("shrink"), Whole(3)}), HasSubstr("shrink"));
  EXPECT_THAT(probe.Run({image, std::string("gradient"), Whole(INT64_MAX)}), IsEmpty());
  EXPECT_THAT(probe.floats(), ElementsAre(0, 0, 0));
}

TEST(JoinImageWithAlphaTest, GivesAsManyAsTheShorterBatchHas) {
  NodeProbe probe(JoinImageWithAlpha());
  const Tensor image = probe.Make({1, 1, 1, 3}, {0.1F, 0.2F, 0.3F});
  const Tensor masks = probe.MakeMask(1, 1, {0, 0.25F, 1}, 3);
  EXPECT_THAT(probe.Run({image, masks}), IsEmpty());
  EXPECT_THAT(probe.floats(), ElementsAre(0.1F, 0.2F, 0.3F, 1));
  EXPECT_THAT(probe.Run({image, probe.MakeMask(1, 1, {1}, 0)}), HasSubstr("empty batch"));
  EXPECT_THAT(probe.Run({probe.Make({1, 1, 1, 1}, {0.5F}), probe.MakeMask(1, 1, {1})}), IsEmpty());
  EXPECT_THAT(probe.floats(), ElementsAre(0.5F, 0));
}

TEST(ImageCompositeMaskedTest, AnEmptyBatchOfMasksCannotBeRepeated) {
  NodeProbe probe(ImageCompositeMasked());
  const Tensor image = probe.Make({1, 1, 1, 3}, {0.5F});
  const Tensor no_masks = probe.MakeMask(1, 1, {1}, 0);
  EXPECT_THAT(probe.Run({image, image, Whole(0), Whole(0), false, no_masks}),
              HasSubstr("empty batch"));
}

TEST(SplitImageWithAlphaTest, KeepsWhatColoursThereAre) {
  NodeProbe probe(SplitImageWithAlpha());
  EXPECT_THAT(probe.Run({probe.Make({1, 1, 2, 4}, {0, 1, 2, 0.25F, 3, 4, 5, 1})}), IsEmpty());
  EXPECT_THAT(probe.floats(0), ElementsAre(0, 1, 2, 3, 4, 5));
  EXPECT_THAT(probe.floats(1), ElementsAre(0.75F, 0));
  EXPECT_THAT(probe.Run({probe.Make({1, 1, 2, 1}, {7, 8})}), IsEmpty());
  EXPECT_THAT(probe.floats(0), ElementsAre(7, 8));
  EXPECT_THAT(probe.floats(1), ElementsAre(0, 0));
}

TEST(FlattenTest, APictureWithoutAlphaNeedsNoColour) {
  NodeProbe probe(Flatten());
  EXPECT_THAT(probe.Run({probe.Make({1, 1, 1, 3}, {1, 2, 3}), std::string("red")}), IsEmpty());
  EXPECT_THAT(probe.floats(), ElementsAre(1, 2, 3));
}

TEST(FlattenTest, NamesABadColour) {
  NodeProbe probe(Flatten());
  const Tensor image = probe.Make({1, 1, 1, 4}, {1, 1, 1, 0});
  for (const char* bad : {"", "#", "#12", "#12345", "#12345g", "red"}) {
    EXPECT_THAT(probe.Run({image, std::string(bad)}), HasSubstr("background_color")) << bad;
  }
  EXPECT_THAT(probe.Run({image, std::string("##00fF80")}), IsEmpty());
  EXPECT_THAT(probe.floats(), ElementsAre(0, 1, 128 / 255.0F));
}

TEST(ColorToRgbIntTest, TakesNothingElse) {
  NodeProbe probe(ColorToRGBInt());
  EXPECT_THAT(probe.Run({std::string("#0a0B0c")}), IsEmpty());
  EXPECT_EQ(std::get<std::int64_t>(probe.output()), 0x0A0B0C);
  for (const Value& bad :
       {Value(Whole(3)), Value(std::string("0a0b0c7")), Value(std::string("#0a0b0")),
        Value(std::string("#0a0b0x")), Value(std::string("#0a0b0c7")), Value(std::monostate())}) {
    EXPECT_NE(probe.Run({bad}), "");
  }
}

TEST(PorterDuffTest, RefusesDifferentChannels) {
  NodeProbe probe(PorterDuffImageComposite());
  const Tensor mask = probe.MakeMask(1, 1, {0});
  EXPECT_THAT(probe.Run({probe.Make({1, 1, 1, 4}, {1}), mask, probe.Make({1, 1, 1, 3}, {1}), mask,
                         std::string("SRC")}),
              HasSubstr("channels"));
}

TEST(PorterDuffTest, WithoutAlphaNothingShows) {
  NodeProbe probe(PorterDuffImageCompositeV2());
  const Tensor source = probe.Make({2, 1, 1, 3}, {0.5F});
  const Tensor destination = probe.Make({3, 1, 1, 3}, {0.25F});
  const Tensor opaque = probe.MakeMask(1, 1, {1}, 4);
  EXPECT_THAT(probe.Run({source, destination, std::string("SRC_OVER")}), IsEmpty());
  EXPECT_THAT(probe.floats(0), testing::Each(0));
  EXPECT_THAT(probe.floats(1), ElementsAre(1, 1));
  EXPECT_THAT(probe.Run({source, destination, std::string("DST_OVER"), Value(), opaque}),
              IsEmpty());
  EXPECT_THAT(probe.floats(0), testing::Each(0.25F));
  EXPECT_THAT(probe.floats(1), ElementsAre(0, 0));
}

TEST(ImageRgbToYuvTest, NeedsThreeChannelsAndOneSize) {
  NodeProbe to_yuv(ImageRGBToYUV());
  EXPECT_THAT(to_yuv.Run({to_yuv.Make({1, 1, 1, 1}, {1})}), HasSubstr("3 channels"));
  NodeProbe to_rgb(ImageYUVToRGB());
  const Tensor small = to_rgb.Make({1, 1, 2, 3}, {0.5F});
  EXPECT_THAT(to_rgb.Run({small, small, to_rgb.Make({1, 2, 2, 3}, {0.5F})}), HasSubstr("size"));
  EXPECT_THAT(to_rgb.Run({small, to_rgb.Make({2, 1, 2, 3}, {0.5F}), small}), HasSubstr("size"));
  EXPECT_THAT(to_rgb.Run({small, to_rgb.Make({1, 1, 2, 1}, {0.5F}),
                          to_rgb.Make({1, 1, 2, 2}, {0.25F, 0.75F})}),
              IsEmpty());
  EXPECT_THAT(to_rgb.floats(), ElementsAre(0.5F, 0.5F, 0.5F, 0.5F, 0.5F, 0.5F));
}

TEST(ImageColorToMaskTest, LooksAtTheFirstThreeChannels) {
  NodeProbe probe(ImageColorToMask());
  const Tensor image = probe.Make({1, 1, 2, 4}, {1, 0, 1, 0.3F, 1, 0.5F / 255, 1, 0.3F});
  EXPECT_THAT(probe.Run({image, Whole(0xFF00FF)}), IsEmpty());
  EXPECT_THAT(probe.floats(), ElementsAre(1, 1));
  EXPECT_THAT(probe.Run({image, Whole(0x1FF00FF)}), IsEmpty());
  EXPECT_THAT(probe.floats(), ElementsAre(0, 0));
  EXPECT_THAT(probe.Run({probe.Make({1, 1, 1, 2}, {0}), Whole(0)}), HasSubstr("out of bounds"));
}

TEST(ImageExtremesTest, FindEveryPlaceAndWhatIsNoNumber) {
  NodeProbe smallest(ImageMin());
  NodeProbe largest(ImageMax());
  for (std::size_t at = 0; at < 99; ++at) {
    Tensor image = smallest.Make({1, 11, 3, 3}, {0.5F});
    image.mutable_data()[at] = -2;
    image.mutable_data()[98 - at] += 3;
    ASSERT_THAT(smallest.Run({image}), IsEmpty());
    ASSERT_THAT(largest.Run({image}), IsEmpty());
    EXPECT_EQ(std::get<double>(smallest.output()), at == 49 ? 0.5 : -2) << at;
    EXPECT_EQ(std::get<double>(largest.output()), at == 49 ? 1 : 3.5) << at;
    image.mutable_data()[at] = std::numeric_limits<float>::quiet_NaN();
    ASSERT_THAT(largest.Run({image}), IsEmpty());
    EXPECT_TRUE(std::isnan(std::get<double>(largest.output()))) << at;
  }
  EXPECT_THAT(smallest.Run({smallest.Make({1, 0, 3, 3}, {0})}), HasSubstr("empty"));
}

TEST(CannyTest, FollowsAWeakEdgeToAStrongOne) {
  NodeProbe probe(Canny());
  // Black above, and below it a grey that fades out to the right: one long edge.
  Tensor image = probe.Make({1, 12, 40, 1}, {0});
  for (std::size_t y = 6; y < 12; ++y) {
    for (std::size_t x = 0; x < 40; ++x) {
      image.mutable_data()[y * 40 + x] = static_cast<float>(40 - x) / 100;
    }
  }
  const auto edge_pixels = [&](double low, double high) {
    EXPECT_THAT(probe.Run({image, low, high}), IsEmpty());
    const std::vector<float> edges = probe.floats();
    return std::ranges::count(edges, 1.0F) / 3;
  };
  const auto strong = edge_pixels(0.9, 0.9);
  EXPECT_GT(strong, 3);
  EXPECT_GT(edge_pixels(0.3, 0.9), strong + 10);
  for (std::size_t i = 0; i < image.size(); ++i) {
    image.mutable_data()[i] *= 0.2F;
  }
  EXPECT_GT(edge_pixels(0.1, 0.1), 10);
  EXPECT_EQ(edge_pixels(0.1, 0.9), 0);  // weak edges alone
}

TEST(CannyTest, RefusesWhatTheOriginalDoes) {
  NodeProbe probe(Canny());
  EXPECT_THAT(probe.Run({probe.Make({1, 2, 9, 3}, {0}), 0.1, 0.2}), HasSubstr("Padding"));
  EXPECT_THAT(probe.Run({probe.Make({1, 9, 2, 3}, {0}), 0.1, 0.2}), HasSubstr("Padding"));
  EXPECT_THAT(probe.Run({probe.Make({1, 9, 9, 4}, {0}), 0.1, 0.2}), HasSubstr("channels"));
  EXPECT_THAT(probe.Run({probe.Make({1, 9, 9, 3}, {0}), 0.3, 0.2}), HasSubstr("greater"));
  EXPECT_THAT(probe.Run({probe.Make({1, 9, 9, 3}, {0}), std::nan(""), 0.2}),
              HasSubstr("less than 1"));
  EXPECT_THAT(probe.Run({probe.Make({1, 3, 3, 3}, {0.5F}), 0.1, 0.2}), IsEmpty());
  EXPECT_THAT(probe.floats(), testing::Each(0));
}

}  // namespace
}  // namespace framelock::nodes
