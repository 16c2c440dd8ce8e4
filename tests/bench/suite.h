// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "pipeline/core/result.h"
#include "tests/bench/report.h"
#include "tests/bench/run_options.h"

namespace framelock::bench {

/// A subcommand. It fails when something did not run or an account is wrong (bytes or frames that
/// are missing, doubled or foreign), never because a figure misses its goal; what it cannot run
/// here (a peer that is not installed) it leaves out and says so in the log.
struct Suite {
  const char* name;
  const char* what;
  Status (*run)(const RunOptions& options, Report& report);
};

/// All of them, in the order of `framelock-bench all`.
std::span<const Suite> Suites();

}  // namespace framelock::bench
