// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/bench/suite.h"

// The suites that run the shipped programs as child processes, and see what a user sees: what goes
// into a channel and what comes out of another.
namespace framelock::bench {

/// From a raw picture at the source's encoder to its last packet at a reader, less the same way
/// without us.
Status RunLatency(const RunOptions& run, Report& report);

/// CPU of media process and worker beside the bare codec chain on the same bytes, and memory.
Status RunCost(const RunOptions& run, Report& report);

/// A worker slower than its input, and uneven: are frames still the right ones, even and fresh.
Status RunOverload(const RunOptions& run, Report& report);

/// From POST /stream/start to the first processed frame, the source being live already.
Status RunStart(const RunOptions& run, Report& report);

/// From a prompt's update to the first frame that shows it, calmly and in a burst.
Status RunPrompt(const RunOptions& run, Report& report);

/// A worker dies or hangs: when is its stream well again, and what do the others notice.
Status RunRecovery(const RunOptions& run, Report& report);

/// How many streams this machine holds.
Status RunDensity(const RunOptions& run, Report& report);

}  // namespace framelock::bench
