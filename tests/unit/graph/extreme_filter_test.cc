// SPDX-License-Identifier: Apache-2.0
#include "workers/nodes/extreme_filter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <vector>

namespace framelock::nodes {
namespace {

// Whether the pixel at this distance from the centre counts.
using Footprint = std::function<bool(std::int64_t dy, std::int64_t dx)>;

class ExtremeFilterTest : public testing::Test {
 protected:
  graph::Tensor Picture(const graph::TensorShape& shape) {
    Result<graph::Tensor> tensor = pool_.Allocate(shape);
    for (std::size_t i = 0; i < tensor->size(); ++i) {
      state_ = state_ * 1664525 + 1013904223;
      tensor->mutable_data()[i] = static_cast<float>(state_ >> 8) * 0x1p-24F - 0.5F;
    }
    return *tensor;
  }

  static std::vector<float> OneByOne(const graph::Tensor& image, Extreme extreme,
                                     const Footprint& counts) {
    const auto [batch, height, width, channels, layout] = image.shape();
    std::vector<float> out;
    for (std::int64_t b = 0; b < batch; ++b) {
      for (std::int64_t y = 0; y < height; ++y) {
        for (std::int64_t x = 0; x < width; ++x) {
          for (std::int64_t c = 0; c < channels; ++c) {
            const auto at = [&](std::int64_t line, std::int64_t column) {
              return image.data()[((b * height + line) * width + column) * channels + c];
            };
            float best = at(y, x);
            for (std::int64_t line = 0; line < height; ++line) {
              for (std::int64_t column = 0; column < width; ++column) {
                if (counts(line - y, column - x)) {
                  const float value = at(line, column);
                  best = extreme == Extreme::kMin ? std::min(best, value) : std::max(best, value);
                }
              }
            }
            out.push_back(best);
          }
        }
      }
    }
    return out;
  }

  std::uint32_t state_ = 7;
  graph::TensorPool pool_{64 << 20};
};

TEST_F(ExtremeFilterTest, ASquareEqualsLookingAtEveryPixel) {
  ExtremeFilter filter;
  for (const graph::TensorShape& shape :
       {graph::TensorShape{1, 1, 1, 3}, {1, 1, 9, 1}, {1, 9, 1, 4}, {2, 7, 11, 3}, {1, 13, 6, 1}}) {
    const graph::Tensor image = Picture(shape);
    for (const SquareWindow window : {SquareWindow{0, 0},
                                      {1, 1},
                                      {2, 1},
                                      {2, 2},
                                      {0, 3},
                                      {4, 5},
                                      {7, 6},
                                      {40, 39},
                                      {4000000000, 4000000000}}) {
      for (const Extreme extreme : {Extreme::kMin, Extreme::kMax}) {
        const auto found = filter.Square(image, window, extreme, pool_);
        ASSERT_TRUE(found.ok()) << found.error().message;
        const auto within = [&](std::int64_t distance) {
          return distance >= -std::int64_t{window.before} && distance <= window.after;
        };
        const std::vector<float> expected =
            OneByOne(image, extreme,
                     [&](std::int64_t dy, std::int64_t dx) { return within(dy) && within(dx); });
        EXPECT_TRUE(std::ranges::equal(found->values(), expected))
            << shape.ToString() << " " << window.before << " " << window.after;
      }
    }
  }
}

TEST_F(ExtremeFilterTest, ADiamondEqualsLookingAtEveryPixel) {
  ExtremeFilter filter;
  for (const auto& [height, width] :
       {std::pair{1U, 1U}, {1U, 12U}, {12U, 1U}, {3U, 17U}, {17U, 3U}, {11U, 14U}}) {
    const graph::Tensor mask = Picture({2, height, width, 1, graph::TensorLayout::kMask});
    for (const std::uint32_t radius :
         {0U, 1U, 2U, 3U, 4U, 5U, 6U, 7U, 8U, 11U, 100U, 4000000000U}) {
      for (const Extreme extreme : {Extreme::kMin, Extreme::kMax}) {
        const auto found = filter.Diamond(mask, radius, extreme, pool_);
        ASSERT_TRUE(found.ok()) << found.error().message;
        const std::vector<float> expected =
            OneByOne(mask, extreme, [&](std::int64_t dy, std::int64_t dx) {
              return std::abs(dy) + std::abs(dx) <= radius;
            });
        EXPECT_TRUE(std::ranges::equal(found->values(), expected))
            << height << "x" << width << " " << radius;
      }
    }
  }
}

TEST_F(ExtremeFilterTest, AnEmptyPictureStaysEmpty) {
  ExtremeFilter filter;
  const graph::Tensor image = Picture({1, 0, 5, 3});
  const auto found = filter.Square(image, {1, 1}, Extreme::kMax, pool_);
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->shape(), image.shape());
}

TEST_F(ExtremeFilterTest, WhatItNeedsCountsAgainstThePool) {
  graph::TensorPool small(4 * 64 * 64 * 3);
  const graph::Tensor image = Picture({1, 64, 64, 3});
  ExtremeFilter filter;
  EXPECT_FALSE(filter.Square(image, {9, 9}, Extreme::kMax, small).ok());
}

}  // namespace
}  // namespace framelock::nodes
