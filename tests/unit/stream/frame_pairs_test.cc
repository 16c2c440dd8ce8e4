// SPDX-License-Identifier: Apache-2.0
#include "examples/frame_pairs.h"

#include <gtest/gtest.h>

#include "examples/contact_sheet.h"

namespace framelock::demo {
namespace {

FramePairs::Shared Grey(std::uint8_t level, int width = 8, int height = 6) {
  Picture picture{.width = width, .height = height, .rgb = {}};
  picture.rgb.assign(static_cast<std::size_t>(width) * height * 3, level);
  return std::make_shared<const Picture>(std::move(picture));
}

TEST(FramePairs, MeetWhicheverComesFirst) {
  FramePairs pairs;
  EXPECT_FALSE(pairs.AddInput(1, Grey(10)));
  EXPECT_FALSE(pairs.AddOutput(2, Grey(20)));
  const auto first = pairs.AddOutput(1, Grey(11));
  ASSERT_TRUE(first);
  EXPECT_EQ(first->number, 1U);
  EXPECT_EQ(first->input->rgb[0], 10);
  EXPECT_EQ(first->output->rgb[0], 11);
  const auto second = pairs.AddInput(2, Grey(21));
  ASSERT_TRUE(second);
  EXPECT_EQ(second->input->rgb[0], 21);
  EXPECT_EQ(second->output->rgb[0], 20);
}

TEST(FramePairs, ForgetTheOldestBeyondTheirCapacity) {
  FramePairs pairs(2);
  for (std::uint32_t number = 1; number <= 3; ++number) pairs.AddInput(number, Grey(1));
  EXPECT_FALSE(pairs.AddOutput(1, Grey(2)));
  EXPECT_TRUE(pairs.AddOutput(2, Grey(2)));
  EXPECT_TRUE(pairs.AddOutput(3, Grey(2)));
}

TEST(ErrorOfInverse, IsTheMeanDistanceFromTheInverse) {
  EXPECT_EQ(ErrorOfInverse(*Grey(55), *Grey(200)), 0.0);
  EXPECT_EQ(ErrorOfInverse(*Grey(55), *Grey(203)), 3.0);
  EXPECT_EQ(ErrorOfInverse(*Grey(0), *Grey(0)), 255.0);
  EXPECT_FALSE(ErrorOfInverse(*Grey(0, 8, 6), *Grey(0, 6, 8)));
}

TEST(ContactSheet, SpreadsItsColumnsOverTheWholeRun) {
  ContactSheet sheet(4);
  for (std::uint32_t number = 0; number < 200; ++number) {
    sheet.Add({number, Grey(static_cast<std::uint8_t>(number)), Grey(255)});
  }
  Picture picture = sheet.Compose(4);
  ASSERT_EQ(picture.width, 4 * (4 + 6) + 6);
  std::vector<int> levels;
  for (int column = 0; column < 4; ++column)
    levels.push_back(*picture.View().at(6 + column * 10, 6));
  EXPECT_EQ(levels[0], 0);
  for (int i = 1; i < 4; ++i) EXPECT_GT(levels[i], levels[i - 1] + 20);
  EXPECT_GT(levels[3], 90);
  EXPECT_EQ(*picture.View().at(6, 6 + 3 + 6), 255);
}

TEST(ContactSheet, IsEmptyWithoutPairs) {
  const ContactSheet sheet(4);
  EXPECT_TRUE(sheet.Compose(10).rgb.empty());
}

}  // namespace
}  // namespace framelock::demo
