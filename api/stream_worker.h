// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/prompt_verdict.h"
#include "pipeline/core/result.h"
#include "pipeline/net/loop.h"
#include "pipeline/stream/stream_config.h"

namespace framelock::api {

/// How a child process left us.
struct Departure {
  std::string reason;             // "signal 9 (SIGKILL)"
  std::vector<std::string> tail;  // its last lines on stderr
};

/// One worker process as its stream sees it; a shared one is left instead of being ended. Loop
/// thread only. Destroying it kills the process.
class StreamWorker {
 public:
  virtual ~StreamWorker() = default;
  [[nodiscard]] virtual pid_t pid() const = 0;

  /// Greets the process (again) and sees to it that `prompt` is what it runs, under `revision` or a
  /// later one, with `settings`. Only while no other process reads the worker's socket.
  virtual net::Task<Result<PromptVerdict>> Prepare(const std::string& prompt,
                                                   const stream::WorkerSettings& settings,
                                                   std::uint64_t revision,
                                                   std::chrono::nanoseconds timeout) = 0;

  /// Our end of its socket, to be lent. It stays open here too, so that the worker outlives the
  /// process that borrows it; whoever borrows is the only reader until that process is gone.
  [[nodiscard]] virtual int socket() const = 0;
  /// Closes our end: with the borrower's end gone as well, the worker exits.
  virtual void CloseSocket() = 0;

  /// Of one that nobody but Prepare() has greeted: how long its heart has stood still.
  [[nodiscard]] virtual std::optional<std::chrono::nanoseconds> HeartbeatAge() const = 0;

  /// How many streams it serves, or served when it departed.
  [[nodiscard]] virtual std::size_t streams() const { return 1; }

  virtual void Signal(int signal) = 0;
  virtual void Kill() = 0;
  /// Set once the process has ended and was reaped.
  [[nodiscard]] virtual const std::optional<Departure>& departure() const = 0;
};

/// Where streams get their workers: the pool, or a fake.
class WorkerSource {
 public:
  virtual ~WorkerSource() = default;
  /// A ready worker of one's own. `changed` is notified when it departs. kUnavailable: none ready,
  /// ask again later, after pause() if there is one.
  virtual Result<std::unique_ptr<StreamWorker>> TryTake(const std::string& stream_id,
                                                        std::shared_ptr<net::Signal> changed) = 0;
  /// While none is ready and none is made, because too many died at their start: the time until
  /// the next one is tried.
  [[nodiscard]] virtual std::optional<std::chrono::nanoseconds> pause() const = 0;
};

}  // namespace framelock::api
