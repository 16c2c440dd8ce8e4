// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "plugins/size_wish.h"

namespace framelock::plugins {
namespace {

InputFormat Format(std::uint32_t width, std::uint32_t height) {
  InputFormat format;
  format.width = width;
  format.height = height;
  return format;
}

TEST(SizeWish, WithoutOneEverySizeFits) {
  SizeWish wish;
  EXPECT_TRUE(wish.Fits(Format(64, 48)));
  EXPECT_FALSE(wish.Excludes(Format(64, 48), 9));
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(wish.Bears(Format(64, 48)));
  const InputFormat format = Format(64, 48);
  EXPECT_TRUE(wish.Asks({64, 48}, &format)) << "frames have it anyway";
  EXPECT_FALSE(wish.Asks({64, 48}, nullptr)) << "it is not known what they will have";
  EXPECT_FALSE(wish.Asks({48, 64}, &format));
}

TEST(SizeWish, ExcludesResultsOfItsPromptInAnotherSizeOnly) {
  SizeWish wish;
  wish.Ask({128, 48}, 5);
  EXPECT_FALSE(wish.Fits(Format(64, 48)));
  EXPECT_TRUE(wish.Fits(Format(128, 48)));
  EXPECT_FALSE(wish.Excludes(Format(64, 48), 4)) << "the prompt before";
  EXPECT_TRUE(wish.Excludes(Format(64, 48), 5));
  EXPECT_TRUE(wish.Excludes(Format(64, 48), 6));
  EXPECT_FALSE(wish.Excludes(Format(128, 48), 5));
}

TEST(SizeWish, TheLastOneCounts) {
  SizeWish wish;
  wish.Ask({128, 48}, 5);
  wish.Ask({64, 48}, 6);
  const InputFormat format = Format(128, 48);
  EXPECT_TRUE(wish.Asks({64, 48}, &format));
  EXPECT_FALSE(wish.Asks({128, 48}, &format)) << "frames that have it still are about to change";
  EXPECT_TRUE(wish.Excludes(format, 6));
  wish.Forget();
  EXPECT_TRUE(wish.Fits(format));
}

TEST(SizeWish, AnotherWorkersRevisionsAreOfAnotherCount) {
  SizeWish wish;
  wish.TakeAnyRevision();
  EXPECT_TRUE(wish.Fits(Format(64, 48)));
  wish.Ask({128, 48}, 5);
  wish.TakeAnyRevision();
  EXPECT_TRUE(wish.Excludes(Format(64, 48), 1));
  EXPECT_FALSE(wish.Excludes(Format(128, 48), 1));
}

TEST(SizeWish, BearsAFewFramesThatWereOnTheirWay) {
  SizeWish wish;
  wish.Ask({128, 48}, 5);
  for (std::size_t i = 0; i < SizeWish::kMostHeld; ++i) EXPECT_TRUE(wish.Bears(Format(64, 48)));
  EXPECT_TRUE(wish.Bears(Format(128, 48)));
  for (std::size_t i = 0; i < SizeWish::kMostHeld; ++i) EXPECT_TRUE(wish.Bears(Format(64, 48)));
  EXPECT_FALSE(wish.Bears(Format(64, 48)));
}

}  // namespace
}  // namespace framelock::plugins
