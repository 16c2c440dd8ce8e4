// SPDX-License-Identifier: Apache-2.0
#include "api/worker_end.h"

#include <spdlog/spdlog.h>

#include <chrono>
#include <csignal>
#include <cstdint>

namespace framelock::api {

namespace {

constexpr std::chrono::seconds kKillWait{10};  // after SIGKILL; longer only in a broken kernel

}  // namespace

net::Task<> EndWorker(StreamWorker& worker, net::Signal& changed, const Clock& clock,
                      const process::KillLadder& ladder) {
  enum class Rung : std::uint8_t { kClosed, kTerm, kKill };
  Rung rung = Rung::kClosed;
  worker.CloseSocket();
  SteadyTime until = clock.Now() + ladder.cooperative;
  while (!worker.departure()) {
    const SteadyTime now = clock.Now();
    if (now < until) {
      co_await changed.WaitFor(until - now);
      continue;
    }
    if (rung == Rung::kKill) break;
    if (rung == Rung::kClosed) {
      rung = Rung::kTerm;
      worker.Signal(SIGTERM);
      until = now + ladder.term;
    } else {
      spdlog::warn("worker={} ignores the stop: killed", worker.pid());
      rung = Rung::kKill;
      worker.Kill();
      until = now + kKillWait;
    }
  }
}

}  // namespace framelock::api
