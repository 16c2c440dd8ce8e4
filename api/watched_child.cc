// SPDX-License-Identifier: Apache-2.0
#include "api/watched_child.h"

#include <spdlog/spdlog.h>

#include <chrono>

#include "pipeline/core/clock.h"
#include "pipeline/process/child_log.h"

namespace framelock::api {

namespace {

using std::chrono::milliseconds;

// After each read of stderr: a flood waits in the pipe instead of taking the loop's time.
constexpr milliseconds kStderrPause{20};
// How often the stderr of a process that is gone is looked at, in case a stray child holds it open.
constexpr milliseconds kStderrCheck{1000};

// A watch kept over the pause would wake the loop at each write to the pipe.
net::Task<Status> UntilReadable(int fd) {
  net::ReadableWatch watch(fd);
  co_return co_await watch.Wait(kStderrCheck);
}

}  // namespace

struct WatchedChild::State {
  State(std::unique_ptr<process::ChildProcess> watched, Options chosen)
      : child(std::move(watched)),
        pid(child->pid()),
        options(std::move(chosen)),
        log(options.label + " pid=" + std::to_string(pid)) {}

  std::unique_ptr<process::ChildProcess> child;  // null once handed to on_reaped
  const pid_t pid;
  Options options;
  std::optional<Departure> departure;
  process::ChildLog log;
};

WatchedChild::WatchedChild(net::Loop& loop, std::unique_ptr<process::ChildProcess> child,
                           Options options)
    : state_(std::make_shared<State>(std::move(child), std::move(options))) {
  loop.Spawn(WatchExit(state_));
  loop.Spawn(WatchStderr(state_));
}

WatchedChild::~WatchedChild() {
  state_->options.changed.reset();
  Kill();
}

pid_t WatchedChild::pid() const { return state_->pid; }

void WatchedChild::Signal(int signal) const {
  if (state_->child) state_->child->Signal(signal);
}

void WatchedChild::Kill() const {
  if (state_->child) state_->child->Kill();
}

const std::optional<Departure>& WatchedChild::departure() const { return state_->departure; }

net::Task<> WatchedChild::WatchExit(std::shared_ptr<State> state) {
  net::ReadableWatch watch(state->child->fd());
  std::optional<process::ExitStatus> status;
  while (!status) {
    const Status readable = co_await watch.Wait();
    status = state->child->Poll();
    if (!readable && !status) {
      spdlog::error("{} pid={} cannot be watched: {}", state->options.label, state->pid,
                    readable.error().message);
      co_await net::SleepFor(kStderrCheck);
    }
  }
  state->log.Drain(*state->child, Clock::System().Now());
  state->departure = Departure{status->ToString(), state->child->stderr_tail()};
  spdlog::info("{} pid={} ended: {}", state->options.label, state->pid, state->departure->reason);
  if (state->options.changed) state->options.changed->NotifyAll();
}

net::Task<> WatchedChild::WatchStderr(std::shared_ptr<State> state) {
  while (state->child->stderr_fd() >= 0) {
    const Status readable = co_await UntilReadable(state->child->stderr_fd());
    const bool open = state->log.Drain(*state->child, Clock::System().Now());
    if (!open || state->departure) break;
    // Also when it could not be watched (no descriptor free): a loop that never waits stops all.
    const bool idle = !readable && readable.error().code == ErrorCode::kTimeout;
    if (!idle) co_await net::SleepFor(kStderrPause);
  }
  while (!state->departure) co_await net::SleepFor(kStderrPause);
  if (state->options.on_reaped) state->options.on_reaped(std::move(state->child));
}

}  // namespace framelock::api
