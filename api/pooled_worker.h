// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "api/stream_worker.h"
#include "pipeline/core/result.h"
#include "pipeline/net/loop.h"
#include "workers/host/worker_pool.h"

namespace framelock::api {

/// Takes workers from the pool and gives them back when they have ended: one worker serves one
/// stream. Owned by the daemon; outlives the streams. Loop thread only.
class PooledWorkerSource final : public WorkerSource {
 public:
  /// Both borrowed.
  PooledWorkerSource(net::Loop& loop, host::WorkerPool& pool) : loop_(loop), pool_(pool) {}

  Result<std::unique_ptr<StreamWorker>> TryTake(const std::string& stream_id,
                                                std::shared_ptr<net::Signal> changed) override;
  [[nodiscard]] std::optional<std::chrono::nanoseconds> pause() const override;

 private:
  net::Loop& loop_;
  host::WorkerPool& pool_;
};

}  // namespace framelock::api
