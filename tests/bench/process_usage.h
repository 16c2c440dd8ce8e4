// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>

#include "pipeline/core/result.h"

namespace framelock::bench {

/// What a running process has used so far, threads included, children not.
struct ProcessUsage {
  std::chrono::nanoseconds cpu{};  // user and system; the kernel counts to the nanosecond
  std::uint64_t rss_bytes = 0;
  std::uint64_t peak_rss_bytes = 0;

  static Result<ProcessUsage> Read(pid_t pid);
};

}  // namespace framelock::bench
