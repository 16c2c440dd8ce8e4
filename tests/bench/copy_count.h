// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>

#include "pipeline/core/result.h"
#include "tests/bench/round_trips.h"

namespace framelock::bench {

/// What a workerfilter says of `frames` frames that went through it.
struct CopyCount {
  std::uint64_t completed = 0;
  std::uint64_t copies = 0;  // of a frame's pixels on our side, in and out

  /// Runs a pipeline in this process, with the plugins in `plugins`.
  static Result<CopyCount> Take(const FrameShape& frame, int frames,
                                const std::filesystem::path& plugins);
};

}  // namespace framelock::bench
