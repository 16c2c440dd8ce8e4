// SPDX-License-Identifier: Apache-2.0
#include "workers/nodes/torch_random.h"

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace framelock::nodes {
namespace {

// What torch.randn() gives on a CPU after manual_seed(42).
constexpr std::array<float, 6> kFew{0x1.58c55cp-2F, 0x1.07cd3ap-3F,  0x1.e02dcep-3F,
                                    0x1.d7b8d8p-3F, -0x1.1f7384p+0F, -0x1.7d99bp-3F};
constexpr std::array<float, 20> kMany{1.92691529F,   1.48728406F,   0.900717199F, -2.10552096F,
                                      -0.758131146F, 1.07831764F,   0.800800562F, 1.68062055F,
                                      0.35585990F,   -0.686622977F, -0.49335635F, 0.24148779F,
                                      -0.23162432F,  0.04175949F,   -0.25157529F, 0.85985851F,
                                      -0.30972677F,  -0.395710498F, 0.803409338F, -0.621595383F};

TEST(TorchRandomTest, FewValuesAreMadeOneByOne) {
  for (std::size_t count = 1; count <= kFew.size(); ++count) {
    std::array<float, 6> values{};
    FillNormal(std::span(values).first(count), 42);
    for (std::size_t i = 0; i < count; ++i) {
      EXPECT_FLOAT_EQ(values[i], kFew[i]) << count;
    }
  }
}

TEST(TorchRandomTest, TheLastBlockReachesBack) {
  std::array<float, 20> values{};
  FillNormal(values, 42);
  for (std::size_t i = 0; i < values.size(); ++i) {
    EXPECT_NEAR(values[i], kMany[i], 2e-6) << i;
  }
}

TEST(TorchRandomTest, OnlyTheLow32BitsOfTheSeedCount) {
  std::array<float, 6> values{};
  FillNormal(values, (std::uint64_t{7} << 32) + 42);
  EXPECT_FLOAT_EQ(values[0], kFew[0]);
}

TEST(TorchRandomTest, NothingIsFine) { FillNormal({}, 1); }

}  // namespace
}  // namespace framelock::nodes
