// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "pipeline/core/result.h"

namespace framelock::bench {

/// A, B, A, B …: each measured `pairs` times, so that what else the machine does meanwhile hurts
/// both. Ends at the first failure.
template <typename Ours, typename Theirs>
Status Interleave(int pairs, Ours ours, Theirs theirs) {
  for (int i = 0; i < pairs; ++i) {
    if (const Status done = ours(); !done) return done;
    if (const Status done = theirs(); !done) return done;
  }
  return {};
}

}  // namespace framelock::bench
