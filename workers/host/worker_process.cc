// SPDX-License-Identifier: Apache-2.0
#include "workers/host/worker_process.h"

#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <utility>

namespace framelock::host {

namespace {

constexpr int kSocketFdInWorker = 3;

std::string ProgramDirectory() {
  std::error_code ignored;
  return std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path().string();
}

// Beside the program, beside the shared object that we are linked into (a plugin), or in the bin
// folder that belongs to that object's lib folder.
std::optional<std::string> FindBeside(const std::string& name) {
  const std::string own = process::OwnDirectory();
  const std::array<std::string, 4> folders = {ProgramDirectory(), own, own + "/../../bin",
                                              own + "/../../../bin"};
  for (const auto& folder : folders) {
    const std::filesystem::path path = std::filesystem::path(folder) / name;
    if (::access(path.c_str(), X_OK) == 0) return path.lexically_normal().string();
  }
  return std::nullopt;
}

}  // namespace

WorkerCommand DefaultWorkerCommand() {
  WorkerCommand command;
  const char* override = std::getenv("FRAMELOCK_WORKER");
  if (override != nullptr && *override != '\0') {
    auto words = SplitCommandLine(override);
    // A broken one is kept whole: starting it fails with its name.
    command.argv = words ? std::move(*words) : std::vector<std::string>{override};
    return command;
  }
  command.argv = {"framelock-worker"};
  return command;
}

std::vector<std::string> Located(std::vector<std::string> argv) {
  if (argv.empty() || argv[0].find('/') != std::string::npos) return argv;
  if (auto found = FindBeside(argv[0])) argv[0] = std::move(*found);
  return argv;
}

Result<SpawnedWorker> SpawnWorker(const WorkerCommand& command) {
  if (command.argv.empty()) {
    return Error{ErrorCode::kInvalidArgument, "the worker command is empty"};
  }
  auto pair = PacketSocket::CreatePair();
  if (!pair) return pair.error();
  process::SpawnOptions options;
  options.argv = Located(command.argv);
  options.argv.insert(options.argv.end(), {"--socket-fd", std::to_string(kSocketFdInWorker)});
  if (command.die_with_parent_thread) {
    options.argv.insert(options.argv.end(), {"--die-with-parent", std::to_string(::getpid())});
  }
  options.inherit_fds = {{pair->second.fd(), kSocketFdInWorker}};
  options.open_file_limit = command.open_file_limit;
  auto child = process::ChildProcess::Spawn(options);
  if (!child) return child.error();
  return SpawnedWorker{.process = std::move(*child), .socket = std::move(pair->first)};
}

}  // namespace framelock::host
