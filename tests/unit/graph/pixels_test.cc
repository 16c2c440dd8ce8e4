// SPDX-License-Identifier: Apache-2.0
#include "workers/graph/pixels.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <vector>

namespace framelock::graph {
namespace {

std::vector<int> ToBytes(const std::vector<float>& floats) {
  std::vector<std::byte> bytes(floats.size());
  FloatsToBytes(floats, bytes);
  std::vector<int> numbers;
  for (const std::byte byte : bytes) {
    numbers.push_back(std::to_integer<int>(byte));
  }
  return numbers;
}

TEST(PixelsTest, EveryByteComesBack) {
  std::array<std::byte, 256> bytes;
  std::array<float, 256> floats;
  std::array<std::byte, 256> back;
  for (int i = 0; i < 256; ++i) {
    bytes[i] = static_cast<std::byte>(i);
  }
  BytesToFloats(bytes, floats);
  FloatsToBytes(floats, back);
  EXPECT_EQ(bytes, back);
  EXPECT_EQ(floats[255], 1.0F);
  EXPECT_EQ(floats[1], 1.0F / 255.0F);
}

TEST(PixelsTest, TruncatesAfterOneInversion) {
  std::array<std::byte, 256> bytes;
  std::array<float, 256> floats;
  for (int i = 0; i < 256; ++i) {
    bytes[i] = static_cast<std::byte>(i);
  }
  BytesToFloats(bytes, floats);
  for (float& value : floats) {
    value = 1.0F - value;
  }
  FloatsToBytes(floats, bytes);
  int lower = 0;
  for (int i = 0; i < 256; ++i) {
    const int byte = std::to_integer<int>(bytes[i]);
    EXPECT_TRUE(byte == 255 - i || byte == 254 - i) << i;
    lower += byte == 254 - i ? 1 : 0;
  }
  EXPECT_EQ(lower, 159);
}

TEST(PixelsTest, ClampsWhatIsOutside) {
  EXPECT_EQ(ToBytes({-1, -0.0F, 0.999F, 1.5F, 1e30F, INFINITY, -INFINITY, NAN}),
            (std::vector<int>{0, 0, 254, 255, 255, 255, 0, 0}));
}

TEST(PixelsTest, ChannelsOnTheWayOut) {
  const std::array<float, 2> grey{0.0F, 1.0F};
  std::array<std::byte, 8> out;
  FloatsToBytes(grey, out, {.from = 1, .to = 4});
  EXPECT_EQ(out[3], std::byte{255});
  EXPECT_EQ(out[6], std::byte{255});
  EXPECT_EQ(out[0], std::byte{0});
  const std::array<float, 4> rgba{1.0F, 0.0F, 1.0F, 0.0F};
  std::array<std::byte, 3> rgb;
  FloatsToBytes(rgba, rgb, {.from = 4, .to = 3});
  EXPECT_EQ(rgb[2], std::byte{255});
  EXPECT_EQ(rgb[1], std::byte{0});
}

TEST(PixelsTest, AlphaStaysOutside) {
  const std::array<std::byte, 8> rgba{std::byte{1}, std::byte{2}, std::byte{3}, std::byte{99},
                                      std::byte{4}, std::byte{5}, std::byte{6}, std::byte{98}};
  std::array<float, 6> floats;
  RgbaBytesToRgbFloats(rgba, floats);
  EXPECT_EQ(floats[3], 4.0F / 255.0F);
  EXPECT_EQ(floats[5], 6.0F / 255.0F);
}

}  // namespace
}  // namespace framelock::graph
