// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/bench/suite.h"

namespace framelock::bench {

/// P1 and P2: how long a chunk takes through the relay, what that costs, and how many subscribers
/// it serves within a frame's time. Beside --peer-relay, if there is one.
Status RunRelay(const RunOptions& options, Report& report);

/// P3: the pause between two segments, for clients that preconnect and for clients that make a new
/// connection for each segment, on the same relay.
Status RunSeam(const RunOptions& options, Report& report);

}  // namespace framelock::bench
