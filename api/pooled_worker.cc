// SPDX-License-Identifier: Apache-2.0
#include "api/pooled_worker.h"

#include <utility>

#include "api/watched_child.h"
#include "api/worker_line.h"

namespace framelock::api {

namespace {

class PooledWorker final : public StreamWorker {
 public:
  PooledWorker(std::unique_ptr<WatchedChild> child, WorkerLine line)
      : child_(std::move(child)), line_(std::move(line)) {}

  [[nodiscard]] pid_t pid() const override { return child_->pid(); }
  [[nodiscard]] int socket() const override { return line_.socket(); }
  void CloseSocket() override { line_.Close(); }
  void Signal(int signal) override { child_->Signal(signal); }
  void Kill() override { child_->Kill(); }
  [[nodiscard]] const std::optional<Departure>& departure() const override {
    return child_->departure();
  }
  [[nodiscard]] std::optional<std::chrono::nanoseconds> HeartbeatAge() const override {
    return line_.HeartbeatAge();
  }
  net::Task<Result<PromptVerdict>> Prepare(const std::string& prompt,
                                           const stream::WorkerSettings& settings,
                                           std::uint64_t revision,
                                           std::chrono::nanoseconds timeout) override {
    return line_.Prepare(prompt, settings, revision, timeout);
  }

 private:
  std::unique_ptr<WatchedChild> child_;
  WorkerLine line_;
};

}  // namespace

Result<std::unique_ptr<StreamWorker>> PooledWorkerSource::TryTake(
    const std::string& stream_id, std::shared_ptr<net::Signal> changed) {
  std::optional<host::WorkerPool::Lease> lease = pool_.TryLend();
  if (!lease) {
    const std::string& why = pool_.last_error();
    return Error{ErrorCode::kUnavailable,
                 std::string(pool_.given_up() ? "no worker can be started" : "no worker is ready") +
                     (why.empty() ? "" : ": " + why)};
  }
  Result<WorkerLine> line = WorkerLine::Of(std::move(lease->client));
  if (!line) {
    pool_.TakeDown(std::move(*lease));
    return line.error();
  }
  WatchedChild::Options options{
      .label = "stream=" + stream_id + " worker",
      .changed = std::move(changed),
      .on_reaped = [&pool = pool_](std::unique_ptr<process::ChildProcess> ended) {
        pool.TakeDown(host::WorkerPool::Lease{.process = std::move(ended), .client = nullptr});
        pool.Tick();
      }};
  auto child = std::make_unique<WatchedChild>(loop_, std::move(lease->process), std::move(options));
  return std::unique_ptr<StreamWorker>(new PooledWorker(std::move(child), std::move(*line)));
}

std::optional<std::chrono::nanoseconds> PooledWorkerSource::pause() const {
  return pool_.counts().spare > 0 ? std::nullopt : pool_.pause();
}

}  // namespace framelock::api
