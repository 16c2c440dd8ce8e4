// SPDX-License-Identifier: Apache-2.0
// An access unit above 64 KiB never fills its last transport packet.
#include "pipeline/stream/pes_filler.h"

#include <gtest/gtest.h>

namespace framelock::stream {
namespace {

constexpr std::size_t kPayload = 184;

TEST(PesFiller, LeavesAUnitWhoseLengthIsToldAlone) {
  for (std::size_t bytes = 0; bytes < 65'000; ++bytes) EXPECT_EQ(FillerBytes(bytes), 0u) << bytes;
}

TEST(PesFiller, KeepsALargerOneOffThePacketsEdge) {
  std::size_t filled = 0;
  for (std::size_t bytes = 65'540; bytes < 65'540 + kPayload; ++bytes) {
    const std::size_t filler = FillerBytes(bytes);
    filled += filler > 0 ? 1 : 0;
    EXPECT_LE(filler, 2u);
    for (const std::size_t header : {14, 19}) {
      for (const std::size_t adaptation : {0, 2, 8}) {
        EXPECT_NE((bytes + filler + header + adaptation) % kPayload, 0u) << bytes;
      }
    }
  }
  EXPECT_LE(filled, 6u) << "only those that could end there";
}

}  // namespace
}  // namespace framelock::stream
