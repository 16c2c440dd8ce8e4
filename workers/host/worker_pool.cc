// SPDX-License-Identifier: Apache-2.0
#include "workers/host/worker_pool.h"

#include <poll.h>

#include <algorithm>
#include <csignal>
#include <list>
#include <utility>

#include "pipeline/core/log.h"
#include "pipeline/process/child_log.h"
#include "pipeline/process/end_report.h"

namespace framelock::host {

namespace {

using process::ChildLog;
using process::ChildProcess;

// While it shuts down the pool moves on at least this often.
constexpr std::chrono::milliseconds kShutdownStep{20};

ChildLog LogOf(const ChildProcess& child) {
  return ChildLog("worker=" + std::to_string(child.pid()));
}

}  // namespace

class WorkerPool::Impl {
 public:
  explicit Impl(Options options)
      : options_(std::move(options)), clock_(*options_.clock), policy_(options_.restart) {}

  void Tick();
  std::optional<Lease> TryLend();
  void TakeDown(Lease lease);
  void Shutdown();
  [[nodiscard]] std::vector<int> PollFds() const;
  [[nodiscard]] Counts counts() const {
    return {.starting = starting_.size(),
            .spare = spares_.size(),
            .lent = lent_,
            .stopping = stopping_.size()};
  }

  const std::string& last_error() const { return last_error_; }
  bool given_up() const { return policy_.given_up(); }
  std::optional<std::chrono::nanoseconds> pause() const;

 private:
  struct Worker {
    Lease lease;
    SteadyTime spawned;
    ChildLog log;
  };
  enum class Rung : std::uint8_t { kCooperative, kTerm, kKill };
  struct Stopping {
    Lease lease;
    ChildLog log;
    SteadyTime since;  // of the present rung
    Rung rung = Rung::kCooperative;
    std::string failure;  // empty: it was asked to end
  };

  void SpawnIfDue(SteadyTime now);
  void Spawn(SteadyTime now);
  void GreetStarting(SteadyTime now);
  void CheckSpares(SteadyTime now);
  void Climb(Stopping& stopping, SteadyTime now);
  void AdvanceStopping(SteadyTime now);
  void AwaitStopping(std::chrono::milliseconds time);
  void OnFailure(std::string why, SteadyTime now);
  void Discard(Worker worker, const std::string& why, Rung rung, SteadyTime now);
  void OnReaped(const Stopping& stopping, const process::ExitStatus& status);

  const Options options_;
  const Clock& clock_;
  process::RestartPolicy policy_;
  std::list<Worker> starting_;
  std::list<Worker> spares_;
  std::list<Stopping> stopping_;
  std::size_t lent_ = 0;
  std::optional<SteadyTime> last_spawn_;
  std::optional<SteadyTime> not_before_;  // back-off, or the pause after giving up
  std::string last_error_;
  bool shut_down_ = false;
};

void WorkerPool::Impl::Tick() {
  const SteadyTime now = clock_.Now();
  AdvanceStopping(now);
  GreetStarting(now);
  CheckSpares(now);
  if (!shut_down_) SpawnIfDue(now);
}

void WorkerPool::Impl::SpawnIfDue(SteadyTime now) {
  if (starting_.size() + spares_.size() >= options_.warm_spares) return;
  if (counts().total() >= options_.max_workers) return;
  if (last_spawn_ && now - *last_spawn_ < options_.spawn_interval) return;
  if (not_before_ && now < *not_before_) return;
  if (policy_.given_up()) policy_.Reset();
  not_before_.reset();
  Spawn(now);
}

void WorkerPool::Impl::Spawn(SteadyTime now) {
  last_spawn_ = now;
  auto spawned = options_.spawn(options_.command);
  if (!spawned) {
    OnFailure(spawned.error().message, now);
    return;
  }
  policy_.OnStarted(now);
  auto client = WorkerClient::Greet(std::move(spawned->socket), clock_);
  ChildLog log = LogOf(*spawned->process);
  Worker worker{.lease = {.process = std::move(spawned->process), .client = nullptr},
                .spawned = now,
                .log = std::move(log)};
  if (!client) {
    Discard(std::move(worker), client.error().message, Rung::kCooperative, now);
    return;
  }
  worker.lease.client = std::move(*client);
  starting_.push_back(std::move(worker));
}

void WorkerPool::Impl::GreetStarting(SteadyTime now) {
  for (auto it = starting_.begin(); it != starting_.end();) {
    const auto current = it++;
    current->log.Drain(*current->lease.process, now);
    auto event = current->lease.client->Receive();
    if (event && event->has_value()) {
      spdlog::info("worker={} is ready", current->lease.process->pid());
      last_error_.clear();
      spares_.splice(spares_.end(), starting_, current);
      continue;
    }
    if (!event || current->lease.process->Poll()) {
      Discard(std::move(*current), event ? "ended" : event.error().message, Rung::kCooperative,
              now);
    } else if (now - current->spawned >= options_.greet_deadline) {
      Discard(std::move(*current), "did not say Welcome in time", Rung::kKill, now);
    } else {
      continue;
    }
    starting_.erase(current);
  }
}

void WorkerPool::Impl::CheckSpares(SteadyTime now) {
  for (auto it = spares_.begin(); it != spares_.end();) {
    const auto current = it++;
    Lease& lease = current->lease;
    current->log.Drain(*lease.process, now);
    auto event = lease.client->Receive();
    if (!event || lease.process->Poll()) {
      Discard(std::move(*current), event ? "ended" : event.error().message, Rung::kCooperative,
              now);
    } else if (lease.client->HeartbeatAge() >= options_.heartbeat_stale) {
      Discard(std::move(*current), "heartbeat stands still", Rung::kKill, now);
    } else {
      continue;
    }
    spares_.erase(current);
  }
}

// A worker failed before it was lent. One that ends by itself is given the time to, so that its
// exit status tells why.
void WorkerPool::Impl::Discard(Worker worker, const std::string& why, Rung rung, SteadyTime now) {
  Lease& lease = worker.lease;
  if (rung == Rung::kKill) lease.process->Kill();
  lease.client.reset();
  OnFailure("worker " + std::to_string(lease.process->pid()) + ": " + why, now);
  stopping_.push_back({.lease = std::move(lease),
                       .log = std::move(worker.log),
                       .since = now,
                       .rung = rung,
                       .failure = last_error_});
}

void WorkerPool::Impl::OnReaped(const Stopping& stopping, const process::ExitStatus& status) {
  const auto report = process::ExplainEnd(status, stopping.lease.process->stderr_tail());
  spdlog::info("worker={} {}", stopping.lease.process->pid(), report.text);
  if (stopping.failure.empty() || last_error_ != stopping.failure) return;
  last_error_ += "; " + report.text;
  if (!report.last_lines.empty()) last_error_ += ": " + report.last_lines.back();
}

void WorkerPool::Impl::OnFailure(std::string why, SteadyTime now) {
  last_error_ = std::move(why);
  const auto pause = policy_.OnEnded(now);
  not_before_ = now + pause.value_or(options_.retry_after_giving_up);
  spdlog::warn("{}; {}", last_error_,
               pause ? "a new one is made after a pause" : "too often, so no more for a while");
}

std::optional<std::chrono::nanoseconds> WorkerPool::Impl::pause() const {
  if (!given_up() || !not_before_) return std::nullopt;
  return std::max(*not_before_ - clock_.Now(), std::chrono::nanoseconds::zero());
}

std::optional<WorkerPool::Lease> WorkerPool::Impl::TryLend() {
  Tick();
  if (shut_down_ || spares_.empty()) return std::nullopt;
  Lease lease = std::move(spares_.front().lease);
  spares_.pop_front();
  ++lent_;
  SpawnIfDue(clock_.Now());
  return lease;
}

void WorkerPool::Impl::TakeDown(Lease lease) {
  lent_ -= std::min<std::size_t>(lent_, 1);
  if (!lease.process) return;
  // Without a client another process may hold the socket; the ladder goes on to SIGTERM then.
  if (lease.client) (void)lease.client->Stop();
  ChildLog log = LogOf(*lease.process);
  stopping_.push_back({.lease = std::move(lease), .log = std::move(log), .since = clock_.Now()});
}

void WorkerPool::Impl::AdvanceStopping(SteadyTime now) {
  for (auto it = stopping_.begin(); it != stopping_.end();) {
    const auto current = it++;
    ChildProcess& child = *current->lease.process;
    current->log.Drain(child, now);
    if (auto status = child.Poll()) {
      current->log.Drain(child, now);
      OnReaped(*current, *status);
      stopping_.erase(current);
    } else {
      Climb(*current, now);
    }
  }
}

void WorkerPool::Impl::Climb(Stopping& stopping, SteadyTime now) {
  if (stopping.rung == Rung::kCooperative && now - stopping.since >= options_.ladder.cooperative) {
    stopping.lease.client.reset();
    stopping.lease.process->Signal(SIGTERM);
    stopping.rung = Rung::kTerm;
    stopping.since = now;
  } else if (stopping.rung == Rung::kTerm && now - stopping.since >= options_.ladder.term) {
    stopping.lease.process->Kill();
    stopping.rung = Rung::kKill;
  }
}

void WorkerPool::Impl::Shutdown() {
  shut_down_ = true;
  const SteadyTime now = clock_.Now();
  for (auto* workers : {&starting_, &spares_}) {
    for (auto& worker : *workers) {
      (void)worker.lease.client->Stop();
      stopping_.push_back(
          {.lease = std::move(worker.lease), .log = std::move(worker.log), .since = now});
    }
    workers->clear();
  }
  AwaitStopping(options_.ladder.cooperative);
  for (auto& stopping : stopping_) {
    stopping.lease.client.reset();
    stopping.lease.process->Signal(SIGTERM);
  }
  AwaitStopping(options_.ladder.term);
  stopping_.clear();  // kills and reaps what is left
}

// Real time, not the clock's: this blocks.
void WorkerPool::Impl::AwaitStopping(std::chrono::milliseconds time) {
  const auto deadline = std::chrono::steady_clock::now() + time;
  while (!stopping_.empty() && std::chrono::steady_clock::now() < deadline) {
    AdvanceStopping(clock_.Now());
    std::vector<pollfd> watched;
    for (const int fd : PollFds()) watched.push_back({.fd = fd, .events = POLLIN, .revents = 0});
    if (!watched.empty()) {
      ::poll(watched.data(), watched.size(), static_cast<int>(kShutdownStep.count()));
    }
  }
}

std::vector<int> WorkerPool::Impl::PollFds() const {
  std::vector<int> fds;
  const auto add = [&fds](const Lease& lease) {
    fds.push_back(lease.process->fd());
    if (lease.process->stderr_fd() >= 0) fds.push_back(lease.process->stderr_fd());
  };
  for (const auto* workers : {&starting_, &spares_}) {
    for (const auto& worker : *workers) {
      add(worker.lease);
      fds.push_back(worker.lease.client->fd());
    }
  }
  for (const auto& stopping : stopping_) add(stopping.lease);
  return fds;
}

WorkerPool::WorkerPool(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
WorkerPool::~WorkerPool() { Shutdown(); }

Result<std::unique_ptr<WorkerPool>> WorkerPool::Create(Options options) {
  if (options.max_workers == 0 || options.warm_spares > options.max_workers) {
    return Error{ErrorCode::kInvalidArgument,
                 "max_workers must be at least 1 and at least warm_spares"};
  }
  if (!options.spawn || options.clock == nullptr) {
    return Error{ErrorCode::kInvalidArgument, "spawn and clock must be set"};
  }
  return std::unique_ptr<WorkerPool>(new WorkerPool(std::make_unique<Impl>(std::move(options))));
}

std::vector<int> WorkerPool::PollFds() const { return impl_->PollFds(); }
void WorkerPool::Tick() { impl_->Tick(); }
std::optional<WorkerPool::Lease> WorkerPool::TryLend() { return impl_->TryLend(); }
void WorkerPool::TakeDown(Lease lease) { impl_->TakeDown(std::move(lease)); }
void WorkerPool::Shutdown() { impl_->Shutdown(); }
WorkerPool::Counts WorkerPool::counts() const { return impl_->counts(); }
const std::string& WorkerPool::last_error() const { return impl_->last_error(); }
bool WorkerPool::given_up() const { return impl_->given_up(); }
std::optional<std::chrono::nanoseconds> WorkerPool::pause() const { return impl_->pause(); }

}  // namespace framelock::host
