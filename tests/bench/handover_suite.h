// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/bench/suite.h"

namespace framelock::bench {

/// P4: a frame's way to the worker and back, beside other ways between two processes.
Status RunHandover(const RunOptions& options, Report& report);

}  // namespace framelock::bench
