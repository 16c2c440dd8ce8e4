// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "workers/nodes/gaussian.h"
#include "workers/nodes/resample.h"

namespace framelock::nodes {
namespace {

class NodesTest : public testing::Test {
 protected:
  // A picture without symmetry, values in [0, 1).
  graph::Tensor Picture(const graph::TensorShape& shape) {
    Result<graph::Tensor> tensor = pool_.Allocate(shape);
    std::uint32_t state = 1;
    for (std::size_t i = 0; i < tensor->size(); ++i) {
      state = state * 1664525 + 1013904223;
      tensor->mutable_data()[i] = static_cast<float>(state >> 8) * 0x1p-24F;
    }
    return *tensor;
  }
  static float At(const graph::Tensor& image, std::int64_t y, std::int64_t x, std::size_t c) {
    return image.data()[static_cast<std::size_t>(y) * image.shape().row() +
                        static_cast<std::size_t>(x) * image.shape().channels + c];
  }

  graph::TensorPool pool_{64 << 20};
};

std::int64_t Mirror(std::int64_t i, std::int64_t size) {
  i = std::abs(i);
  return i < size ? i : 2 * (size - 1) - i;
}

TEST_F(NodesTest, TwoLinesEqualTheSquareKernel) {
  const graph::Tensor image = Picture({1, 9, 40, 3});
  for (const std::int64_t radius : {1, 2, 5, 8}) {
    GaussianFilter filter;
    const double sigma = 0.7;
    ASSERT_TRUE(filter.Prepare(radius, sigma, image.shape(), 1).ok());
    const std::int64_t height = image.shape().height;
    const std::int64_t width = image.shape().width;
    for (std::int64_t y = 0; y < height; ++y) {
      const float* row = filter.Row(image.data(), static_cast<std::size_t>(y), 0);
      for (std::int64_t x = 0; x < width; ++x) {
        double sum = 0;
        double weights = 0;
        for (std::int64_t dy = -radius; dy <= radius; ++dy) {
          for (std::int64_t dx = -radius; dx <= radius; ++dx) {
            const double square = static_cast<double>(dx * dx + dy * dy) / (radius * radius);
            const double weight = std::exp(-square / (2 * sigma * sigma));
            sum += weight * At(image, Mirror(y + dy, height), Mirror(x + dx, width), 1);
            weights += weight;
          }
        }
        EXPECT_NEAR(row[x * 3 + 1], sum / weights, 1e-6);
      }
    }
  }
}

TEST_F(NodesTest, ReflectionNeedsEnoughPixels) {
  GaussianFilter filter;
  EXPECT_TRUE(filter.Prepare(4, 1, {1, 5, 5, 3}, 1).ok());
  EXPECT_FALSE(filter.Prepare(5, 1, {1, 5, 9, 3}, 1).ok());
  EXPECT_FALSE(filter.Prepare(5, 1, {1, 9, 5, 3}, 1).ok());
  EXPECT_FALSE(filter.Prepare(-1, 1, {1, 5, 5, 3}, 1).ok());
  EXPECT_FALSE(filter.Prepare(0, 1, {1, 0, 5, 3}, 1).ok());
}

TEST_F(NodesTest, SameSizeChangesNothing) {
  const graph::Tensor image = Picture({2, 7, 5, 3});
  Resampler resampler;
  for (const std::string& name : ResampleMethodNames()) {
    const ResampleMethod method = *ParseResampleMethod(name);
    const auto same = resampler.Resample(image, {.method = method, .width = 5, .height = 7}, pool_,
                                         graph::RowThreads::Alone());
    ASSERT_TRUE(same.ok());
    const double tolerance = method == ResampleMethod::kLanczos ? 1 / 255.0 : 0;
    for (std::size_t i = 0; i < image.size(); ++i) {
      EXPECT_NEAR(same->data()[i], image.data()[i], tolerance) << name;
    }
  }
}

TEST_F(NodesTest, AFlatPictureStaysFlatAtEverySize) {
  Result<graph::Tensor> flat = pool_.Allocate({1, 11, 13, 4});
  std::fill_n(flat->mutable_data(), flat->size(), 1.0F);
  Resampler resampler;
  for (const std::string& name : ResampleMethodNames()) {
    for (const std::uint32_t side : {1U, 3U, 11U, 29U}) {
      const auto scaled = resampler.Resample(*flat,
                                             {.method = *ParseResampleMethod(name),
                                              .width = side,
                                              .height = 2 * side,
                                              .crop = Crop::kCenter},
                                             pool_, graph::RowThreads::Alone());
      ASSERT_TRUE(scaled.ok()) << scaled.error().message;
      EXPECT_EQ(scaled->shape(), (graph::TensorShape{1, 2 * side, side, 4}));
      for (const float value : scaled->values()) {
        EXPECT_NEAR(value, 1.0F, 3e-6) << name << side;
      }
    }
  }
}

TEST_F(NodesTest, EmptyTargetsFailButForArea) {
  const graph::Tensor image = Picture({1, 4, 4, 3});
  Resampler resampler;
  for (const std::string& name : ResampleMethodNames()) {
    const auto empty =
        resampler.Resample(image, {.method = *ParseResampleMethod(name), .width = 0, .height = 3},
                           pool_, graph::RowThreads::Alone());
    EXPECT_EQ(empty.ok(), name == "area") << name;
  }
}

TEST_F(NodesTest, TablesFollowTheSizes) {
  const graph::Tensor image = Picture({1, 12, 12, 3});
  for (const std::string& name : ResampleMethodNames()) {
    const ResampleMethod method = *ParseResampleMethod(name);
    Resampler used;
    for (const std::uint32_t side : {24U, 5U, 24U}) {
      const ResampleTarget target{.method = method, .width = side, .height = 7};
      Resampler fresh;
      const auto again = used.Resample(image, target, pool_, graph::RowThreads::Alone());
      const auto first = fresh.Resample(image, target, pool_, graph::RowThreads::Alone());
      ASSERT_TRUE(again.ok() && first.ok());
      EXPECT_TRUE(std::ranges::equal(again->values(), first->values())) << name << side;
    }
  }
}

}  // namespace
}  // namespace framelock::nodes
