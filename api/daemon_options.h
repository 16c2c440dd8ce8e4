// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "api/control_api.h"
#include "api/node_listing.h"
#include "api/stream.h"
#include "api/stream_registry.h"
#include "pipeline/core/log.h"
#include "pipeline/net/http_server.h"
#include "workers/host/worker_pool.h"

namespace framelock::api {

/// Everything that framelockd's command line or its --config file can set, limits included.
struct DaemonOptions {
  net::HttpServerOptions http;
  ControlApi::Options api;
  StreamRegistry::Options streams;
  StreamLimits stream_limits;
  host::WorkerPool::Options pool;
  NodeListingLimits nodes;
  std::chrono::milliseconds pool_interval{50};  // between two of the pool's ticks, at most
  std::vector<std::string> stream_command;
  std::size_t warm_streams = 1;  // processes kept ready
  LogOptions log;
};

/// What to do with a command line: go on with these options, or leave with this exit code (help and
/// errors have been printed).
struct CommandLine {
  std::optional<DaemonOptions> options;
  int exit_code = 0;
};

CommandLine ParseCommandLine(int argc, char** argv);

}  // namespace framelock::api
