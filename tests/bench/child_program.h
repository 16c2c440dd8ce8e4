// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/core/result.h"
#include "pipeline/core/unique_fd.h"
#include "pipeline/process/child_process.h"
#include "tests/bench/process_usage.h"

namespace framelock::bench {

/// A command that runs `argv` and is killed with the thread that spawned it: nothing that was
/// started for a benchmark outlives it, however it ends.
std::vector<std::string> DyingWithUs(std::vector<std::string> argv);

/// A server of ours, run as users run it: started on a free port, killed and reaped at the end.
/// Its standard error is ours, so that a complaint is seen. One thread.
class ChildProgram {
 public:
  struct Options {
    std::vector<std::string> argv;  // with --listen 127.0.0.1:0, where it takes that
    std::vector<std::pair<std::string, std::string>> extra_env;
    std::chrono::milliseconds ready_timeout{10000};
  };
  /// Waits until it has said "listening on URL" on standard output.
  static Result<std::unique_ptr<ChildProgram>> StartServer(const Options& options);

  [[nodiscard]] const std::string& url() const { return url_; }  // http://127.0.0.1:PORT
  [[nodiscard]] pid_t pid() const { return process_->pid(); }
  [[nodiscard]] Result<ProcessUsage> Usage() const { return ProcessUsage::Read(pid()); }
  process::ChildProcess& process() { return *process_; }

 private:
  ChildProgram(std::unique_ptr<process::ChildProcess> process, UniqueFd output, std::string url)
      : process_(std::move(process)), output_(std::move(output)), url_(std::move(url)) {}

  std::unique_ptr<process::ChildProcess> process_;
  UniqueFd output_;  // kept, so that its standard output never breaks
  std::string url_;
};

}  // namespace framelock::bench
