// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/stream_worker.h"
#include "pipeline/core/clock.h"
#include "pipeline/core/result.h"
#include "pipeline/net/loop.h"
#include "pipeline/process/child_process.h"
#include "workers/host/worker_pool.h"

namespace framelock::api {

/// Gives streams places in worker processes that they share: each is a host of its own there. A
/// process takes streams while it has room, and is taken down with the last one. One whose stream
/// gave up on it gets no more; the others find out for themselves. A stream whose process was lost
/// twice within a while sits alone in its next one, so that it ends no others' again and again.
/// Owned by the daemon; outlives the streams. Loop thread only.
class SharedWorkerSource final : public WorkerSource {
 public:
  struct Options {
    std::size_t max_streams = 4;  // of one process
    std::chrono::milliseconds window{60'000};
    process::KillLadder ladder;
    const Clock* clock = &Clock::System();  // borrowed
  };

  /// Both borrowed.
  SharedWorkerSource(net::Loop& loop, host::WorkerPool& pool, Options options);
  ~SharedWorkerSource() override;

  Result<std::unique_ptr<StreamWorker>> TryTake(const std::string& stream_id,
                                                std::shared_ptr<net::Signal> changed) override;
  [[nodiscard]] std::optional<std::chrono::nanoseconds> pause() const override;

 private:
  struct Place;    // one stream's
  struct Process;  // one worker process
  struct House;    // what coroutines and places keep, whoever goes first
  class Seat;      // a place, as its stream sees it

  static net::Task<> ReadAnswers(std::shared_ptr<Process> process);
  static net::Task<> Attend(std::shared_ptr<House> house, std::shared_ptr<Process> process);
  static net::Task<> GoneWithin(Process& process, const Clock& clock,
                                std::chrono::nanoseconds time);
  static void Leave(Place& place, const std::string& why);
  Result<std::shared_ptr<Process>> Choose(const std::string& stream_id);
  Result<std::shared_ptr<Process>> Start();

  std::shared_ptr<House> house_;
};

}  // namespace framelock::api
