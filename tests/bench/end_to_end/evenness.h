// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "tests/bench/end_to_end/output_watch.h"

namespace framelock::bench {

/// How evenly frames follow one another, in their own time and in arrival.
struct Evenness {
  double fps = 0;
  double pts_jitter_percent = 0;      // deviation of the intervals over their mean
  double arrival_jitter_percent = 0;  // the same
  std::uint64_t stalls = 0;           // arrival intervals above 1.5 of the median one
};

/// The one long time in which the worker makes nothing: what was published in it, and while the
/// stream adapts behind it, is not judged.
struct Pause {
  double least_seconds = 0.35;
  double adapting_seconds = 2.0;
};

/// The runs of frames before and behind the pause; one run if there is none. Frames that the worker
/// made are inverted.
std::vector<std::vector<PublishedFrame>> WithoutPause(const std::vector<PublishedFrame>& frames,
                                                      const Pause& pause = {});
Evenness EvennessOf(const std::vector<std::vector<PublishedFrame>>& runs);

}  // namespace framelock::bench
