// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "workers/nodes/color_counts.h"
#include "workers/nodes/dither.h"
#include "workers/nodes/median_cut.h"
#include "workers/nodes/palette_map.h"

namespace framelock::nodes {
namespace {

using testing::ElementsAre;
using testing::UnorderedElementsAre;

// The same bytes on every machine, nearly all colours different.
std::vector<std::uint8_t> Noise(std::size_t pixels) {
  std::vector<std::uint8_t> bytes(pixels * 3);
  std::uint32_t state = 1;
  for (std::uint8_t& byte : bytes) {
    state = state * 1664525 + 1013904223;
    byte = static_cast<std::uint8_t>(state >> 24);
  }
  return bytes;
}

std::vector<Rgb> PaletteOf(MedianCut& cut, const std::vector<std::uint8_t>& bytes,
                           std::size_t colors) {
  const std::span<const Rgb> palette = cut.MakePalette(bytes, colors);
  return {palette.begin(), palette.end()};
}

TEST(ColorCountsTest, CountsEveryColourOnce) {
  ColorCounts counts;
  const std::vector<std::uint8_t> bytes{1, 2, 3, 9, 9, 9, 1, 2, 3, 0, 0, 0};
  const std::span<const ColorCounts::Entry> entries = counts.Count(bytes);
  std::vector<std::string> seen;
  for (const ColorCounts::Entry& entry : entries) {
    seen.push_back(std::to_string(entry.color[2]) + " x" + std::to_string(entry.pixels));
  }
  EXPECT_THAT(seen, UnorderedElementsAre("3 x2", "9 x1", "0 x1"));
}

TEST(ColorCountsTest, MergesWhatIsTooMany) {
  ColorCounts counts;
  const std::vector<std::uint8_t> bytes = Noise(600 * 600);
  const std::span<const ColorCounts::Entry> entries = counts.Count(bytes);
  std::uint64_t pixels = 0;
  std::array<std::uint64_t, 3> sums{};
  for (const ColorCounts::Entry& entry : entries) {
    pixels += entry.pixels;
    for (std::size_t c = 0; c < 3; ++c) {
      sums[c] += entry.sums[c];
      EXPECT_EQ(entry.color[c] % 8, 0);
    }
  }
  EXPECT_LE(entries.size(), ColorCounts::kMostColors);
  EXPECT_EQ(pixels, 600U * 600U);
  std::array<std::uint64_t, 3> true_sums{};
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    true_sums[i % 3] += bytes[i];
  }
  EXPECT_EQ(sums, true_sums);
}

// Palettes as Pillow's own median cut makes them of the same pixels.
TEST(MedianCutTest, EqualsPillowAboveThe65536thColour) {
  MedianCut cut;
  EXPECT_THAT(
      PaletteOf(cut, Noise(400 * 200), 8),
      ElementsAre(Rgb{188, 219, 127}, Rgb{60, 220, 126}, Rgb{192, 151, 128}, Rgb{64, 152, 128},
                  Rgb{192, 87, 128}, Rgb{191, 28, 126}, Rgb{63, 87, 127}, Rgb{64, 27, 127}));
  EXPECT_THAT(
      PaletteOf(cut, Noise(600 * 600), 4),
      ElementsAre(Rgb{192, 192, 128}, Rgb{63, 191, 127}, Rgb{187, 63, 128}, Rgb{59, 63, 127}));
}

TEST(MedianCutTest, FewColoursStayAsTheyAre) {
  MedianCut cut;
  const std::vector<std::uint8_t> bytes{255, 0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 255};
  EXPECT_THAT(PaletteOf(cut, bytes, 256),
              UnorderedElementsAre(Rgb{255, 0, 0}, Rgb{0, 255, 0}, Rgb{0, 0, 255}));
  EXPECT_THAT(PaletteOf(cut, bytes, 1), ElementsAre(Rgb{64, 64, 128}));
  EXPECT_THAT(PaletteOf(cut, {7, 8, 9}, 16), ElementsAre(Rgb{7, 8, 9}));
}

TEST(PaletteMapTest, TakesTheEntryNearestToTheCellsCorner) {
  PaletteMap map;
  const std::vector<Rgb> palette{{3, 3, 3}, {0, 0, 0}, {0, 0, 0}, {9, 9, 9}};
  map.SetPalette(palette);
  EXPECT_EQ(map.Find(3, 3, 3), 1);
  EXPECT_EQ(map.Find(4, 4, 4), 0);
  EXPECT_EQ(map.Find(255, 255, 255), 3);
  map.SetPalette(std::vector<Rgb>{Rgb{200, 0, 0}});
  EXPECT_EQ(map.Find(3, 3, 3), 0);
}

TEST(FloydSteinbergTest, EqualsPillow) {
  PaletteMap map;
  map.SetPalette(std::vector<Rgb>{{0, 0, 0}, {255, 255, 255}, {255, 0, 0}});
  std::vector<std::uint8_t> bytes;
  for (int y = 0; y < 4; ++y) {
    bytes.insert(bytes.end(), {100, 90, 60, 200, 30, 120});
  }
  FloydSteinberg dither;
  dither.Apply(map, {bytes, 2, 4});
  EXPECT_THAT(bytes, ElementsAre(0, 0, 0, 255, 0, 0,        //
                                 255, 0, 0, 255, 255, 255,  //
                                 0, 0, 0, 255, 0, 0,        //
                                 0, 0, 0, 255, 255, 255));
}

// Without Pillow's mix-up of channels at the row's end, black would come back in between.
TEST(FloydSteinbergTest, AColumnOfOnePixelGetsBluesErrors) {
  PaletteMap map;
  map.SetPalette(std::vector<Rgb>{{0, 0, 0}, {255, 255, 255}, {255, 0, 0}, {0, 0, 255}});
  std::vector<std::uint8_t> bytes;
  for (int y = 0; y < 4; ++y) {
    bytes.insert(bytes.end(), {110, 100, 126});
  }
  FloydSteinberg dither;
  dither.Apply(map, {bytes, 1, 4});
  EXPECT_THAT(bytes, ElementsAre(0, 0, 0, 255, 0, 0, 255, 0, 0, 255, 0, 0));
}

TEST(BayerPatternTest, IsWeakerWithMoreColours) {
  std::vector<std::uint8_t> bytes(2 * 2 * 3, 128);
  BayerPattern pattern;
  pattern.Prepare(2, 16);
  pattern.AddTo({bytes, 2, 2});
  EXPECT_THAT(bytes, ElementsAre(116, 116, 116, 132, 132, 132, 140, 140, 140, 124, 124, 124));
  bytes.assign(bytes.size(), 128);
  pattern.Prepare(2, 256);
  pattern.AddTo({bytes, 2, 2});
  EXPECT_THAT(bytes, ElementsAre(127, 127, 127, 128, 128, 128, 129, 129, 129, 128, 128, 128));
}

}  // namespace
}  // namespace framelock::nodes
