// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "pipeline/core/result.h"
#include "tests/bench/progress.h"

namespace framelock::bench {

/// A, B, A, B …: each measured `pairs` times, so that what else the machine does meanwhile hurts
/// both. Ends at the first failure. Tells its progress under the scenario's name.
template <typename Ours, typename Theirs>
Status Interleave(const std::string& scenario, int pairs, Ours ours, Theirs theirs) {
  for (int i = 0; i < pairs; ++i) {
    TellProgress(scenario + ", " + std::to_string(i + 1) + " of " + std::to_string(pairs));
    if (const Status done = ours(); !done) return done;
    if (const Status done = theirs(); !done) return done;
  }
  return {};
}

}  // namespace framelock::bench
