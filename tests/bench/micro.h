// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/bench/suite.h"

namespace framelock::bench {

/// The small hot things, each alone, under Google Benchmark: time and allocations do not show
/// in the end-to-end figures before they have grown a hundredfold.
Status RunMicro(const RunOptions& options, Report& report);

}  // namespace framelock::bench
