// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include "pipeline/core/result.h"
#include "pipeline/process/child_process.h"

namespace framelock::process {

/// posix_spawn with our rules: own process group, every signal at its default and unblocked, stdin
/// /dev/null, stderr to `stderr_fd` (-1: inherited), the listed descriptors and nothing else.
/// kNotFound: no such program. The caller reaps.
Result<pid_t> SpawnProcess(const SpawnOptions& options, int stderr_fd);

}  // namespace framelock::process
