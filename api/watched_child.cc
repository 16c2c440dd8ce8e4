// SPDX-License-Identifier: Apache-2.0
#include "api/watched_child.h"

#include <spdlog/spdlog.h>

#include <chrono>

#include "pipeline/core/clock.h"
#include "pipeline/core/log_line.h"

namespace framelock::api {

namespace {

using std::chrono::milliseconds;

// After each read of stderr: a flood waits in the pipe instead of taking the loop's time.
constexpr milliseconds kStderrPause{20};
// How often the stderr of a process that is gone is looked at, in case a stray child holds it open.
constexpr milliseconds kStderrCheck{1000};

}  // namespace

struct WatchedChild::State {
  std::unique_ptr<process::ChildProcess> child;  // null once handed to on_reaped
  pid_t pid = 0;
  Options options;
  std::optional<Departure> departure;
  SteadyTime second_began{};
  std::size_t lines_this_second = 0;
  std::size_t lines_dropped = 0;
};

WatchedChild::WatchedChild(net::Loop& loop, std::unique_ptr<process::ChildProcess> child,
                           Options options)
    : state_(std::make_shared<State>()) {
  state_->pid = child->pid();
  state_->child = std::move(child);
  state_->options = std::move(options);
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
  state->child->DrainStderr([&](const std::string& line) { LogLine(*state, line); });
  state->departure = Departure{status->ToString(), state->child->stderr_tail()};
  spdlog::info("{} pid={} ended: {}", state->options.label, state->pid, state->departure->reason);
  if (state->options.changed) state->options.changed->NotifyAll();
}

net::Task<> WatchedChild::WatchStderr(std::shared_ptr<State> state) {
  net::ReadableWatch watch(state->child->stderr_fd());
  while (state->child->stderr_fd() >= 0) {
    const Status readable = co_await watch.Wait(kStderrCheck);
    const bool open =
        state->child->DrainStderr([&](const std::string& line) { LogLine(*state, line); });
    if (!open || state->departure) break;
    // Also when it could not be watched (no descriptor free): a loop that never waits stops all.
    const bool idle = !readable && readable.error().code == ErrorCode::kTimeout;
    if (!idle) co_await net::SleepFor(kStderrPause);
  }
  while (!state->departure) co_await net::SleepFor(kStderrPause);
  if (state->options.on_reaped) state->options.on_reaped(std::move(state->child));
}

void WatchedChild::LogLine(State& state, const std::string& line) {
  const SteadyTime now = Clock::System().Now();
  if (now - state.second_began >= std::chrono::seconds(1)) {
    if (state.lines_dropped > 0) {
      spdlog::warn("{} pid={} {} lines dropped", state.options.label, state.pid,
                   state.lines_dropped);
    }
    state.second_began = now;
    state.lines_this_second = state.lines_dropped = 0;
  }
  if (++state.lines_this_second > kMaxLinesPerSecond) {
    ++state.lines_dropped;
    return;
  }
  spdlog::log(LevelOfLogLine(line).value_or(spdlog::level::info), "{} pid={} | {}",
              state.options.label, state.pid, line);
}

}  // namespace framelock::api
