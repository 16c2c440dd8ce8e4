// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/core/clock.h"
#include "pipeline/core/result.h"
#include "pipeline/process/child_process.h"
#include "pipeline/process/restart_policy.h"
#include "workers/host/worker_client.h"
#include "workers/host/worker_process.h"

namespace framelock::host {

/// Keeps greeted workers ready, lends them, and takes down those that come back. It has no thread:
/// its owner polls PollFds() for reading, calls Tick() when one is readable and at short
/// intervals (50 ms, say), from one thread; no call blocks except Shutdown().
///
///   starting --(Welcome)--> spare --TryLend()--> lent --TakeDown()--> stopping --> reaped
///       |                     |
///       +----(died, silent)---+--> RestartPolicy: again after a back-off, or given up for a while
///
/// A worker that died in the pool is replaced by the policy; one that died while lent is the
/// lender's to give back by TakeDown(). Full (max_workers): TryLend() answers nullopt.
class WorkerPool {
 public:
  using Spawner = std::function<Result<SpawnedWorker>(const WorkerCommand&)>;

  struct Options {
    WorkerCommand command;
    std::size_t warm_spares = 1;
    std::size_t max_workers = 16;  // starting, spare, lent and stopping together
    std::chrono::milliseconds spawn_interval{50};
    std::chrono::milliseconds greet_deadline{30'000};  // from spawn to Welcome
    std::chrono::milliseconds heartbeat_stale{2000};   // of a spare: it is replaced
    process::RestartPolicy::Options restart;
    std::chrono::milliseconds retry_after_giving_up{60'000};
    process::KillLadder ladder;
    Spawner spawn = SpawnWorker;
    const Clock* clock = &Clock::System();  // borrowed
  };

  /// A greeted, ready worker. Destroying it unreturned kills the process but keeps its place taken.
  struct Lease {
    std::unique_ptr<process::ChildProcess> process;
    std::unique_ptr<WorkerClient> client;  // null once its socket was given to another process
  };

  struct Counts {
    std::size_t starting = 0, spare = 0, lent = 0, stopping = 0;
    [[nodiscard]] std::size_t total() const { return starting + spare + lent + stopping; }
  };

  /// kInvalidArgument: bounds that contradict each other. Spawns nothing yet; Tick() does.
  static Result<std::unique_ptr<WorkerPool>> Create(Options options);
  ~WorkerPool();  // Shutdown()

  /// Sockets, pidfds and stderr pipes of the workers that the pool holds now. Ask again after each
  /// call that changes the pool.
  [[nodiscard]] std::vector<int> PollFds() const;

  /// Moves everything on: spawns, greets, reaps, kills what overstays its ladder.
  void Tick();

  /// A ready worker, or nullopt: none now. The lender runs, watches and drains the process until
  /// TakeDown().
  std::optional<Lease> TryLend();

  /// Ends a lent worker by the ladder: Stop (if the client is still there) or the closed socket,
  /// then SIGTERM, then SIGKILL to its group, each step in a later Tick(). Its place is free once
  /// it is reaped.
  void TakeDown(Lease lease);

  /// Ends every worker that the pool holds; blocks at most for the ladder. Nothing is lent or
  /// spawned afterwards. Lent workers stay their lenders'.
  void Shutdown();

  [[nodiscard]] Counts counts() const;
  /// Why there is no spare, if the last one failed to start; empty once one is ready again.
  [[nodiscard]] const std::string& last_error() const;
  /// True while spares die so often that the pool pauses making them.
  [[nodiscard]] bool given_up() const;
  /// While given_up(): what is left of that pause.
  [[nodiscard]] std::optional<std::chrono::nanoseconds> pause() const;

 private:
  class Impl;
  explicit WorkerPool(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace framelock::host
