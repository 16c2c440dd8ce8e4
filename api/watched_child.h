// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "api/stream_worker.h"
#include "pipeline/net/loop.h"
#include "pipeline/process/child_process.h"

namespace framelock::api {

/// A child process on the loop: its stderr goes into our log (process::ChildLog), its end is noted
/// and it is reaped. Loop thread only. Destroying it kills the process; reaping goes on by itself.
class WatchedChild {
 public:
  struct Options {
    std::string label;                     // log fields: "stream=a worker"
    std::shared_ptr<net::Signal> changed;  // notified when the process has departed
    /// Takes the reaped process, also when nobody watches any more.
    std::function<void(std::unique_ptr<process::ChildProcess>)> on_reaped;
  };

  WatchedChild(net::Loop& loop, std::unique_ptr<process::ChildProcess> child, Options options);
  ~WatchedChild();
  WatchedChild(const WatchedChild&) = delete;
  WatchedChild& operator=(const WatchedChild&) = delete;

  [[nodiscard]] pid_t pid() const;
  void Signal(int signal) const;
  void Kill() const;
  [[nodiscard]] const std::optional<Departure>& departure() const;

 private:
  struct State;
  static net::Task<> WatchExit(std::shared_ptr<State> state);
  static net::Task<> WatchStderr(std::shared_ptr<State> state);

  std::shared_ptr<State> state_;  // shared with the two coroutines, which outlive us
};

}  // namespace framelock::api
