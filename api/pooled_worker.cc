// SPDX-License-Identifier: Apache-2.0
#include "api/pooled_worker.h"

#include <fcntl.h>

#include <algorithm>
#include <utility>
#include <variant>

#include "api/watched_child.h"
#include "pipeline/core/clock.h"
#include "pipeline/core/packet_socket.h"
#include "pipeline/core/unique_fd.h"
#include "workers/host/worker_client.h"

namespace framelock::api {

namespace {

using host::WorkerClient;

Result<UniqueFd> DuplicateFd(int fd) {
  UniqueFd copy(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!copy) return ErrnoError("duplicate a worker's socket");
  return copy;
}

net::Task<Result<WorkerClient::Event>> NextEvent(WorkerClient& client, SteadyTime deadline) {
  net::ReadableWatch watch(client.fd());
  for (;;) {
    Result<std::optional<WorkerClient::Event>> event = client.Receive();
    if (!event) co_return event.error();
    if (*event) co_return std::move(**event);
    const auto left = deadline - Clock::System().Now();
    if (left.count() <= 0) co_return Error{ErrorCode::kTimeout, "no answer in time"};
    const Status readable = co_await watch.Wait(left);
    if (!readable && readable.error().code != ErrorCode::kTimeout) co_return readable.error();
  }
}

// The socket has one reader at a time: this client while Prepare() runs, afterwards the media
// process that it is lent to. `near_` only keeps the connection alive.
class PooledWorker final : public StreamWorker {
 public:
  PooledWorker(std::unique_ptr<WatchedChild> child, std::unique_ptr<WorkerClient> client,
               UniqueFd near)
      : child_(std::move(child)), client_(std::move(client)), near_(std::move(near)) {}

  [[nodiscard]] pid_t pid() const override { return child_->pid(); }
  [[nodiscard]] int socket() const override { return near_.get(); }
  void CloseSocket() override {
    client_.reset();
    near_.reset();
  }
  void Signal(int signal) override { child_->Signal(signal); }
  void Kill() override { child_->Kill(); }
  [[nodiscard]] const std::optional<Departure>& departure() const override {
    return child_->departure();
  }

  net::Task<Result<PromptVerdict>> Prepare(const std::string& prompt, std::uint64_t revision,
                                           std::chrono::nanoseconds timeout) override {
    const SteadyTime deadline = Clock::System().Now() + timeout;
    const Status greeted = co_await Greet(deadline);
    if (!greeted) co_return greeted.error();
    PromptVerdict verdict{.applied = true, .revision = revision, .errors_json = {}};
    if (client_->revision() != revision) {
      // What it runs may be newer than what we know: then our prompt gets a newer number still.
      const std::uint64_t next = std::max(revision, client_->revision() + 1);
      Result<PromptVerdict> judged = co_await SetPrompt(prompt, next, deadline);
      if (!judged) co_return judged.error();
      verdict = std::move(*judged);
    }
    if (client_) {
      const PacketSocket ours = client_->Release();
      client_.reset();
    }
    co_return verdict;
  }

 private:
  net::Task<Status> Greet(SteadyTime deadline) {
    if (!client_) {
      Result<UniqueFd> copy = DuplicateFd(near_.get());
      if (!copy) co_return copy.error();
      Result<std::unique_ptr<WorkerClient>> greeted =
          WorkerClient::Greet(PacketSocket(std::move(*copy)));
      if (!greeted) co_return greeted.error();
      client_ = std::move(*greeted);
    }
    while (!client_->ready()) {
      const Result<WorkerClient::Event> event = co_await NextEvent(*client_, deadline);
      if (!event) co_return event.error();
    }
    co_return Status();
  }

  net::Task<Result<PromptVerdict>> SetPrompt(const std::string& prompt, std::uint64_t revision,
                                             SteadyTime deadline) {
    const Status sent = client_->SetPrompt(revision, prompt);
    if (!sent) co_return sent.error();
    for (;;) {
      Result<WorkerClient::Event> event = co_await NextEvent(*client_, deadline);
      if (!event) co_return event.error();
      if (std::holds_alternative<WorkerClient::PromptApplied>(*event)) {
        co_return PromptVerdict{.applied = true, .revision = revision, .errors_json = {}};
      }
      if (auto* rejected = std::get_if<WorkerClient::PromptRejected>(&*event)) {
        co_return PromptVerdict{.applied = false,
                                .revision = revision,
                                .errors_json = std::move(rejected->errors_json)};
      }
    }
  }

  std::unique_ptr<WatchedChild> child_;
  std::unique_ptr<WorkerClient> client_;
  UniqueFd near_;
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
  Result<UniqueFd> near = DuplicateFd(lease->client->fd());
  if (!near) {
    pool_.TakeDown(std::move(*lease));
    return near.error();
  }
  WatchedChild::Options options{
      .label = "stream=" + stream_id + " worker",
      .changed = std::move(changed),
      .on_reaped = [&pool = pool_](std::unique_ptr<process::ChildProcess> ended) {
        pool.TakeDown(host::WorkerPool::Lease{.process = std::move(ended), .client = nullptr});
        pool.Tick();
      }};
  auto child = std::make_unique<WatchedChild>(loop_, std::move(lease->process), std::move(options));
  return std::unique_ptr<StreamWorker>(
      new PooledWorker(std::move(child), std::move(lease->client), std::move(*near)));
}

std::optional<std::chrono::nanoseconds> PooledWorkerSource::pause() const {
  return pool_.counts().spare > 0 ? std::nullopt : pool_.pause();
}

}  // namespace framelock::api
