// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "node_probe.h"
#include "workers/nodes/node_list.h"
#include "workers/nodes/wanted_size.h"

namespace framelock::nodes {
namespace {

using graph::NodeProbe;
using graph::Tensor;
using graph::TensorLayout;
using graph::TensorShape;
using graph::Value;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Value Whole(std::int64_t value) { return value; }
Value Text(const char* text) { return std::string(text); }

TEST(WantedSizeTest, RefusesWhatIsNoSize) {
  EXPECT_TRUE(MakeTarget("area", {0, 1048576}).ok());
  for (const double side : {-1.0, 1048577.0, std::numeric_limits<double>::quiet_NaN(),
                            std::numeric_limits<double>::infinity()}) {
    EXPECT_FALSE(MakeTarget("area", {side, 1}).ok()) << side;
    EXPECT_FALSE(MakeTarget("area", {1, side}).ok()) << side;
  }
  EXPECT_THAT(MakeTarget("cubic", {1, 1}).error().message, HasSubstr("'cubic'"));
  EXPECT_THAT(MakeTarget("area", {-7, 1}).error().message, HasSubstr("-7"));
}

TEST(WantedSizeTest, HalvesGoToEven) {
  const TensorShape wide{1, 2, 4, 3};
  EXPECT_EQ(WithLongerSide(wide, 5).height, 2);
  EXPECT_EQ(WithLongerSide(wide, 7).height, 4);
  EXPECT_EQ(WithShorterSide(wide, 5).width, 10);
  EXPECT_EQ(WithFollowingSide(wide, {5, 0}).height, 2);
  EXPECT_EQ(WithFollowingSide({1, 1, 100, 3}, {10, 0}).height, 1);
  EXPECT_EQ(Times(wide, 0.625).Rounded().width, 2);
  EXPECT_EQ(Times(wide, 0.625).Rounded().height, 1);
}

TEST(ImageScaleToTotalPixelsTest, StepsMustNotBeNothing) {
  NodeProbe probe(ImageScaleToTotalPixels());
  const Tensor dot = probe.Make({1, 1, 1, 3}, {0.5F});
  EXPECT_THAT(probe.Run({dot, Text("area"), 4.0 / 1048576, Whole(1)}), IsEmpty());
  EXPECT_EQ(probe.image().shape(), (TensorShape{1, 2, 2, 3}));
  EXPECT_THAT(probe.Run({dot, Text("area"), 0.01, Whole(0)}), HasSubstr("cannot resize"));
  EXPECT_THAT(probe.Run({probe.Make({1, 0, 4, 3}, {0}), Text("area"), 0.01}),
              HasSubstr("cannot resize"));
}

TEST(ResizeAndPadImageTest, PutsADotInTheMiddle) {
  NodeProbe probe(ResizeAndPadImage());
  const Tensor dot = probe.Make({1, 1, 1, 1}, {0.25F});
  const auto run = [&](std::int64_t width, std::int64_t height) {
    return probe.Run({dot, Whole(width), Whole(height), Text("white"), Text("area")});
  };
  EXPECT_THAT(run(4, 1), IsEmpty());
  EXPECT_THAT(probe.floats(), ElementsAre(1, 0.25F, 1, 1));
  EXPECT_THAT(run(1, 3), IsEmpty());
  EXPECT_THAT(probe.floats(), ElementsAre(1, 0.25F, 1));
  EXPECT_THAT(run(-1, 3), HasSubstr("cannot resize"));
}

// Own nodes may give as many as they like.
TEST(ResamplerTest, LanczosHasATableForFourChannels) {
  NodeProbe probe(ResizeAndPadImage());
  const Tensor many = probe.Make({1, 2, 2, 5}, {1});
  EXPECT_THAT(probe.Run({many, Whole(4), Whole(4), Text("white"), Text("lanczos")}),
              HasSubstr("1 to 4 channels"));
}

TEST(ImageResize1Test, CoversAndContains) {
  NodeProbe probe(ImageResize1());
  const Tensor wide = probe.Make({2, 1, 2, 3}, {0, 0, 0, 1, 1, 1});
  const auto run = [&](const Tensor& image, const char* mode) {
    return probe.Run({image, Text(mode), Whole(2), Whole(2), Text("nearest-exact")});
  };
  EXPECT_THAT(run(wide, "cover"), IsEmpty());
  EXPECT_EQ(probe.image().shape(), (TensorShape{2, 2, 2, 3}));
  EXPECT_EQ(probe.floats()[0], 0);
  EXPECT_EQ(probe.floats()[3], 1);
  for (const char* mode : {"contain", "auto"}) {
    EXPECT_THAT(run(wide, mode), IsEmpty());
    EXPECT_THAT(probe.floats(), ElementsAre(0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0,  //
                                            0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0));
  }
  const Tensor alpha = probe.Make({1, 1, 2, 4}, {1});
  EXPECT_THAT(run(alpha, "contain"), HasSubstr("3 channels"));
  EXPECT_THAT(run(alpha, "cover"), IsEmpty());
}

TEST(ImageResize1Test, AutoReckonsTheOtherSideFromTheFirst) {
  NodeProbe probe(ImageResize1());
  const auto run = [&](std::uint32_t height, std::uint32_t width, std::uint32_t channels,
                       std::int64_t side, const char* mode) {
    return probe.Run({probe.Make({1, height, width, channels}, {1}), Text(mode), Whole(side),
                      Whole(side), Text("nearest-exact")});
  };
  // 360 * (448 / 640) is a little less than 252, 360 * 448 / 640 is not.
  const auto rows = [&] {
    std::size_t lit = 0;
    for (std::size_t y = 0; y < 448; ++y) lit += probe.floats()[y * 448 * 3] > 0 ? 1 : 0;
    return lit;
  };
  EXPECT_THAT(run(360, 640, 3, 448, "auto"), IsEmpty());
  EXPECT_EQ(rows(), 252U);
  EXPECT_THAT(run(360, 640, 3, 448, "contain"), IsEmpty());
  EXPECT_EQ(rows(), 251U);
  EXPECT_THAT(run(2, 2, 4, 4, "auto"), IsEmpty()) << "it needs no canvas";
  EXPECT_EQ(probe.image().shape(), (TensorShape{1, 4, 4, 4}));
  EXPECT_THAT(run(1, 2, 4, 4, "auto"), HasSubstr("3 channels"));
}

TEST(ImageResize1Test, ClampsWhatOvershoots) {
  NodeProbe probe(ImageResize1());
  const Tensor loud = probe.Make({1, 2, 2, 3}, {-3, 4, 2});
  EXPECT_THAT(probe.Run({loud, Text("cover"), Whole(2), Whole(2), Text("bicubic")}), IsEmpty());
  EXPECT_THAT(probe.floats(), Each(testing::AnyOf(0, 1)));
}

TEST(CenterCropImagesTest, CutsTheMiddleThroughBytes) {
  NodeProbe probe(CenterCropImages());
  const Tensor row = probe.Make({1, 1, 4, 1}, {0, 0.5F, 0.999F, 7});
  EXPECT_THAT(probe.Run({row, Whole(2), Whole(9)}), IsEmpty());
  EXPECT_THAT(probe.floats(), ElementsAre(127.0F / 255, 254.0F / 255));
  EXPECT_THAT(probe.Run({row, Whole(-1), Whole(1)}), HasSubstr("negative"));
  EXPECT_THAT(probe.Run({probe.Make({2, 1, 4, 1}, {0}), Whole(1), Whole(1)}),
              HasSubstr("one image"));
}

TEST(ResizeImagesByEdgeTest, TheOtherSideIsCut) {
  NodeProbe shorter(ResizeImagesByShorterEdge());
  NodeProbe longer(ResizeImagesByLongerEdge());
  const TensorShape shape{1, 3, 7, 3};
  EXPECT_THAT(shorter.Run({shorter.Make(shape, {0}), Whole(2)}), IsEmpty());
  EXPECT_EQ(shorter.image().shape(), (TensorShape{1, 2, 4, 3}));
  EXPECT_THAT(longer.Run({longer.Make(shape, {0}), Whole(6)}), IsEmpty());
  EXPECT_EQ(longer.image().shape(), (TensorShape{1, 2, 6, 3}));
  EXPECT_THAT(longer.Run({longer.Make(shape, {0}), Whole(2)}), HasSubstr("must be > 0"));
  EXPECT_THAT(longer.Run({longer.Make(shape, {0}), Whole(-2)}), HasSubstr("cannot resize"));
}

// The node's inputs in its own order, absent but for those of one way.
class ResizeImageMaskTest : public testing::Test {
 protected:
  std::string Run(const Tensor& picture, const char* way, const char* method,
                  const std::vector<std::pair<std::size_t, Value>>& given) {
    std::vector<Value> inputs(15);
    inputs[0] = picture;
    inputs[1] = Text(way);
    inputs[14] = Text(method);
    for (const auto& [position, value] : given) {
      inputs[position] = value;
    }
    return probe_.Run(std::move(inputs));
  }
  NodeProbe probe_{ResizeImageMask()};
};

TEST_F(ResizeImageMaskTest, EveryWayHasItsInputs) {
  const Tensor wide = probe_.Make({1, 4, 8, 3}, {0.5F});
  const Tensor other = probe_.MakeMask(3, 5, {0});
  const auto shape_of = [&](const char* way,
                            const std::vector<std::pair<std::size_t, Value>>& given) {
    EXPECT_THAT(Run(wide, way, "area", given), IsEmpty());
    return probe_.image().shape();
  };
  EXPECT_EQ(shape_of("scale dimensions", {{2, Whole(3)}, {3, Whole(7)}, {4, Text("center")}}),
            (TensorShape{1, 7, 3, 3}));
  EXPECT_EQ(shape_of("scale by multiplier", {{5, 1.5}}), (TensorShape{1, 6, 12, 3}));
  EXPECT_EQ(shape_of("scale longer dimension", {{6, Whole(4)}}), (TensorShape{1, 2, 4, 3}));
  EXPECT_EQ(shape_of("scale shorter dimension", {{7, Whole(2)}}), (TensorShape{1, 2, 4, 3}));
  EXPECT_EQ(shape_of("scale width", {{8, Whole(2)}}), (TensorShape{1, 1, 2, 3}));
  EXPECT_EQ(shape_of("scale width", {{8, Whole(0)}}), wide.shape());
  EXPECT_EQ(shape_of("scale height", {{9, Whole(2)}}), (TensorShape{1, 2, 4, 3}));
  EXPECT_EQ(shape_of("scale total pixels", {{10, 8.9 / 1048576}}), (TensorShape{1, 2, 4, 3}));
  EXPECT_EQ(shape_of("match size", {{11, other}, {12, Text("disabled")}}),
            (TensorShape{1, 3, 5, 3}));
  EXPECT_EQ(shape_of("scale to multiple", {{13, Whole(3)}}), (TensorShape{1, 3, 6, 3}));
}

TEST_F(ResizeImageMaskTest, AMultipleThatDoesNotFitChangesNothing) {
  const Tensor odd = probe_.Make({1, 5, 7, 3}, {0.1F, 0.2F});
  EXPECT_THAT(Run(odd, "scale to multiple", "lanczos", {{13, Whole(6)}}), IsEmpty());
  EXPECT_EQ(probe_.floats(), std::vector<float>(odd.values().begin(), odd.values().end()));
}

TEST_F(ResizeImageMaskTest, LanczosTurnsMasks) {
  const Tensor mask = probe_.MakeMask(2, 3, {0, 0.2F, 0.4F, 0.6F, 0.8F, 1}, 2);
  EXPECT_THAT(Run(mask, "scale by multiplier", "lanczos", {{5, 1.0}}), IsEmpty());
  EXPECT_EQ(probe_.image().shape(), (TensorShape{2, 3, 2, 1, TensorLayout::kMask}));
  EXPECT_THAT(probe_.floats(),
              ElementsAre(0, 0.6F, 0.2F, 0.8F, 0.4F, 1, 0, 0.6F, 0.2F, 0.8F, 0.4F, 1));
  EXPECT_THAT(Run(mask, "scale to multiple", "lanczos", {{13, Whole(2)}}), IsEmpty());
  EXPECT_EQ(probe_.image().shape(), (TensorShape{2, 2, 2, 1, TensorLayout::kMask}));
  EXPECT_THAT(probe_.floats(), ElementsAre(0, 0.6F, 0.2F, 0.8F, 0, 0.6F, 0.2F, 0.8F));
  // What is cut out of the turned mask is where the middle was before: less of it may be there.
  const Tensor wide = probe_.MakeMask(6, 14, {0.5F}, 1);
  EXPECT_THAT(Run(wide, "scale to multiple", "lanczos", {{13, Whole(5)}}), IsEmpty());
  EXPECT_EQ(probe_.image().shape(), (TensorShape{1, 5, 4, 1, TensorLayout::kMask}));
}

TEST_F(ResizeImageMaskTest, RefusesUnknownWays) {
  EXPECT_THAT(Run(probe_.Make({1, 1, 1, 3}, {0}), "no such way", "area", {}),
              HasSubstr("unknown resize_type 'no such way'"));
}

}  // namespace
}  // namespace framelock::nodes
