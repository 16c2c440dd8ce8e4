// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/core/result.h"
#include "pipeline/core/unique_fd.h"

namespace framelock::process {

/// How a process ended.
struct ExitStatus {
  bool signalled = false;
  int code = 0;  // exit code, or the signal's number
  /// "exit code 3", "signal 11 (SIGSEGV)".
  [[nodiscard]] std::string ToString() const;
};

struct SpawnOptions {
  std::vector<std::string> argv;                 // argv[0] is looked up in PATH when it has no '/'
  std::vector<std::pair<int, int>> inherit_fds;  // {our descriptor, number in the child}
  std::vector<std::pair<std::string, std::string>> extra_env;
  std::optional<std::uint64_t> open_file_limit;  // the child's soft one; unset: ours
  bool capture_stderr = true;                    // into a bounded tail of lines, else inherited
  std::size_t stderr_tail_lines = 100;
};

/// The kill ladder: cooperative stop (the caller's), SIGTERM, SIGKILL to the process group.
struct KillLadder {
  std::chrono::milliseconds cooperative{500};
  std::chrono::milliseconds term{1000};
};

/// One child in a process group of its own, with a pidfd. Spawned by posix_spawn (no fork of a big
/// parent); only the listed descriptors reach it. The destructor kills (SIGKILL to the group) and
/// reaps. Methods: any one thread; fd() and stderr_fd() may be polled elsewhere.
class ChildProcess {
 public:
  static Result<std::unique_ptr<ChildProcess>> Spawn(const SpawnOptions& options);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  [[nodiscard]] pid_t pid() const;
  /// The pidfd: readable once the process has ended.
  [[nodiscard]] int fd() const;
  /// Reading end of the child's stderr, non-blocking; -1 unless captured. Poll it and call
  /// DrainStderr(), else the pipe fills up.
  [[nodiscard]] int stderr_fd() const;

  /// Reads what is there, hands each whole line (at most kMaxLineBytes, cut) to `on_line` and keeps
  /// the last lines. Never blocks. False once the pipe has ended.
  bool DrainStderr(const std::function<void(const std::string&)>& on_line = {});
  [[nodiscard]] std::vector<std::string> stderr_tail() const;

  /// Reaps if it has ended; nullopt while it runs. Repeats the same answer afterwards.
  std::optional<ExitStatus> Poll();
  /// Waits up to `timeout` for the end.
  std::optional<ExitStatus> Wait(std::chrono::milliseconds timeout);

  void Signal(int signal) const;  // to the process
  void Kill() const;              // SIGKILL to its group

  static constexpr std::size_t kMaxLineBytes = 4096;

 private:
  struct State;
  explicit ChildProcess(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Directory of the running executable or of the shared object that holds this function.
std::string OwnDirectory();

}  // namespace framelock::process
