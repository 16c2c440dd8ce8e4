// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/core/packet_socket.h"
#include "pipeline/core/result.h"
#include "pipeline/process/child_process.h"

namespace framelock::host {

/// How to start a worker. The command gets "--socket-fd N" appended.
struct WorkerCommand {
  std::vector<std::string>
      argv;  // argv[0]: path, or a name looked up beside the own executable, then in PATH
  bool die_with_parent_thread =
      false;  // PR_SET_PDEATHSIG: only if the spawning thread lives as long as the worker
  std::optional<std::uint64_t> open_file_limit;  // the worker's soft one; unset: ours
};

/// Splits a command line as a shell would split words (quotes and backslashes; no expansion).
Result<std::vector<std::string>> SplitCommandLine(const std::string& text);

/// The command used when none is given: framelock-worker beside the executable or the plugin
/// (FRAMELOCK_WORKER in the environment overrides), else in PATH.
WorkerCommand DefaultWorkerCommand();

/// The command with its program's path, if that is found beside ours or the plugin; else as it was.
std::vector<std::string> Located(std::vector<std::string> argv);

struct SpawnedWorker {
  std::unique_ptr<process::ChildProcess> process;
  PacketSocket socket;  // near end, for WorkerClient::Greet
};

/// Starts a worker process with one end of a fresh socket pair. Does not wait for it.
Result<SpawnedWorker> SpawnWorker(const WorkerCommand& command);

}  // namespace framelock::host
