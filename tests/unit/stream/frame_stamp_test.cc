// SPDX-License-Identifier: Apache-2.0
#include "examples/frame_stamp.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <numbers>
#include <random>
#include <vector>

#include "examples/frame_pairs.h"
#include "examples/test_picture.h"

namespace framelock::demo {
namespace {

constexpr FrameStamp kStamp{.number = 123'456'789,
                            .sent_at = std::chrono::microseconds(1'795'147'453'731'151)};

Picture Stamped(int width, int height, const FrameStamp& stamp = kStamp) {
  Picture picture{.width = width, .height = height, .rgb = {}};
  picture.rgb.resize(static_cast<std::size_t>(width) * height * 3);
  DrawTestPicture(picture.View(), {.number = stamp.number, .clock = {}, .hue_degrees = 40});
  DrawStamp(picture.View(), stamp);
  return picture;
}

using Damage = std::function<Picture(Picture)>;

Picture Invert(Picture picture) {
  for (std::uint8_t& byte : picture.rgb) byte = 255 - byte;
  return picture;
}

// ImageBlur of radius 3: a box, the hardest kernel of that size. The stamp's band is enough.
Picture BoxBlur(const Picture& picture, int radius) {
  Picture out = picture;
  for (int y = 0; y < StampHeight(picture.height); ++y) {
    for (int x = 0; x < picture.width; ++x) {
      for (int c = 0; c < 3; ++c) {
        int sum = 0;
        for (int v = -radius; v <= radius; ++v) {
          for (int u = -radius; u <= radius; ++u) {
            const int yy = std::clamp(y + v, 0, picture.height - 1);
            const int xx = std::clamp(x + u, 0, picture.width - 1);
            sum += picture.rgb[(static_cast<std::size_t>(yy) * picture.width + xx) * 3 + c];
          }
        }
        const int side = 2 * radius + 1;
        out.rgb[(static_cast<std::size_t>(y) * picture.width + x) * 3 + c] =
            static_cast<std::uint8_t>(sum / (side * side));
      }
    }
  }
  return out;
}

Picture ScaleTo(const Picture& picture, int width, int height) {
  Picture out{.width = width, .height = height, .rgb = {}};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const int from = (y * picture.height / height) * picture.width + x * picture.width / width;
      for (int c = 0; c < 3; ++c)
        out.rgb.push_back(picture.rgb[static_cast<std::size_t>(from) * 3 + c]);
    }
  }
  return out;
}

Picture Noise(Picture picture, int amplitude) {
  std::mt19937 random(7);
  std::uniform_int_distribution<int> distribution(-amplitude, amplitude);
  for (std::uint8_t& byte : picture.rgb) {
    byte = static_cast<std::uint8_t>(std::clamp(byte + distribution(random), 0, 255));
  }
  return picture;
}

// What a starved H.264 encoder does to a picture: 8x8 blocks of each channel lose all but the
// coarsest steps of their cosine transform.
Picture Quantise(Picture picture, double step) {
  std::array<std::array<double, 8>, 8> basis{};
  for (int k = 0; k < 8; ++k) {
    for (int n = 0; n < 8; ++n) {
      basis[k][n] =
          (k == 0 ? std::sqrt(0.125) : 0.5) * std::cos((2 * n + 1) * k * std::numbers::pi / 16);
    }
  }
  for (int top = 0; top < StampHeight(picture.height); top += 8) {
    for (int left = 0; left + 8 <= picture.width; left += 8) {
      for (int c = 0; c < 3; ++c) {
        const auto pixel = [&](int y, int x) -> std::uint8_t& {
          return picture
              .rgb[(static_cast<std::size_t>(top + y) * picture.width + left + x) * 3 + c];
        };
        std::array<std::array<double, 8>, 8> rows{}, coefficients{};
        for (int y = 0; y < 8; ++y)
          for (int k = 0; k < 8; ++k)
            for (int x = 0; x < 8; ++x) rows[y][k] += basis[k][x] * pixel(y, x);
        for (int k = 0; k < 8; ++k)
          for (int l = 0; l < 8; ++l) {
            for (int y = 0; y < 8; ++y) coefficients[k][l] += basis[k][y] * rows[y][l];
            coefficients[k][l] = std::round(coefficients[k][l] / step) * step;
          }
        for (int y = 0; y < 8; ++y)
          for (int x = 0; x < 8; ++x) {
            double value = 0;
            for (int k = 0; k < 8; ++k)
              for (int l = 0; l < 8; ++l) value += basis[k][y] * basis[l][x] * coefficients[k][l];
            pixel(y, x) = static_cast<std::uint8_t>(std::clamp(value, 0.0, 255.0));
          }
      }
    }
  }
  return picture;
}

struct Case {
  const char* name;
  Damage damage;
  bool inverted;
};

class StampSurvives : public testing::TestWithParam<Case> {};

TEST_P(StampSurvives, WithNumberTimeAndPolarity) {
  Picture picture = GetParam().damage(Stamped(512, 512));
  const std::optional<ReadStamp> read = FindStamp(picture.View());
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->stamp, kStamp);
  EXPECT_EQ(read->inverted, GetParam().inverted);
  EXPECT_GT(read->confidence, 0.3);
}

INSTANTIATE_TEST_SUITE_P(
    Damage, StampSurvives,
    testing::Values(
        Case{"Nothing", [](Picture p) { return p; }, false}, Case{"Inversion", Invert, true},
        Case{"Noise", [](Picture p) { return Noise(std::move(p), 60); }, false},
        Case{"Blur", [](const Picture& p) { return BoxBlur(p, 3); }, false},
        Case{"BlurAndInversion", [](const Picture& p) { return Invert(BoxBlur(p, 3)); }, true},
        Case{"HalfSize", [](const Picture& p) { return ScaleTo(p, 256, 256); }, false},
        Case{"DoubleSize", [](const Picture& p) { return ScaleTo(p, 1024, 1024); }, false},
        Case{"OtherShape", [](const Picture& p) { return ScaleTo(p, 640, 360); }, false},
        Case{"Quantisation", [](Picture p) { return Quantise(std::move(p), 160); }, false},
        Case{"Everything",
             [](Picture p) { return Quantise(Noise(BoxBlur(Invert(std::move(p)), 2), 20), 80); },
             true}),
    [](const auto& entry) { return std::string(entry.param.name); });

class StampSize : public testing::TestWithParam<std::pair<int, int>> {};

TEST_P(StampSize, IsReadBack) {
  Picture picture = Stamped(GetParam().first, GetParam().second);
  const std::optional<ReadStamp> read = FindStamp(picture.View());
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->stamp, kStamp);
}

INSTANTIATE_TEST_SUITE_P(Sizes, StampSize,
                         testing::Values(std::pair(64, 128), std::pair(320, 180),
                                         std::pair(853, 480), std::pair(1280, 720),
                                         std::pair(510, 514)));

TEST(FrameStamp, KeepsTheLimitsOfItsFields) {
  for (const std::uint32_t number : {0U, 1U, 0x80000000U, 0xFFFFFFFFU}) {
    Picture picture = Stamped(256, 256, {.number = number, .sent_at = {}});
    const std::optional<ReadStamp> read = FindStamp(picture.View());
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(read->stamp.number, number);
    EXPECT_DOUBLE_EQ(read->confidence, 1.0);
  }
}

TEST(FrameStamp, IsNotSeenWhereThereIsNone) {
  Picture picture = Stamped(512, 512);
  DrawTestPicture(picture.View(), {.number = 3, .clock = {}, .hue_degrees = 0});
  EXPECT_FALSE(FindStamp(picture.View()));
  std::fill(picture.rgb.begin(), picture.rgb.end(), 128);
  EXPECT_FALSE(FindStamp(picture.View()));
  EXPECT_FALSE(FindStamp(Noise(picture, 127).View()));
  EXPECT_FALSE(FindStamp(PictureView{}));
}

TEST(FrameStamp, RefusesOneWrongCell) {
  for (int column = 0; column < 32; ++column) {
    Picture picture = Stamped(512, 512);
    for (int y = 0; y < 12; ++y) {
      for (int x = 0; x < 16; ++x) {
        for (int c = 0; c < 3; ++c) {
          std::uint8_t& byte =
              picture.rgb[(static_cast<std::size_t>(y) * 512 + column * 16 + x) * 3 + c];
          byte = 255 - byte;
        }
      }
    }
    EXPECT_FALSE(FindStamp(picture.View())) << column;
  }
}

TEST(FrameStamp, FitsALumaPlane) {
  std::vector<std::uint8_t> luma(400 * 300, 90);
  const PictureView view{
      .pixels = luma.data(), .width = 400, .height = 300, .stride = 400, .channels = 1};
  DrawStamp(view, kStamp);
  const std::optional<ReadStamp> read = FindStamp(view);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->stamp, kStamp);
  EXPECT_EQ(luma[static_cast<std::size_t>(StampHeight(300)) * 400], 90);
}

}  // namespace
}  // namespace framelock::demo
