// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "pipeline/core/result.h"
#include "pipeline/net/loop.h"
#include "workers/host/worker_process.h"

namespace framelock::api {

struct NodeListingLimits {
  std::chrono::milliseconds timeout{60'000};
  std::size_t max_bytes = 16 << 20;
};

/// Runs the worker's command with "nodes" in place of a socket and answers what it printed: its
/// node classes. The process is gone then. kNotFound or kInternal: it does not start; kTimeout;
/// kResourceLimit: it prints more; kUnavailable: it ended with an error, as one does that does not
/// know the word.
net::Task<Result<std::string>> ListNodes(net::Loop& loop, host::WorkerCommand command,
                                         NodeListingLimits limits);

}  // namespace framelock::api
