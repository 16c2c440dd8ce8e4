// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <utility>

#include "api/stream.h"
#include "pipeline/net/loop.h"
#include "tests/unit/api/eventually.h"
#include "tests/unit/api/fake_media.h"
#include "tests/unit/api/fake_worker.h"

namespace framelock::api {

// A loop, fakes around it, and short limits. Run() runs a coroutine to its end.
struct FakeHouse {
  FakeHouse() {
    using std::chrono::milliseconds;
    limits.restart.back_off = {milliseconds(0)};
    limits.ladder.cooperative = milliseconds(20);
    limits.ladder.term = milliseconds(20);
    limits.worker_timeout = milliseconds(50);
    limits.prompt_timeout = milliseconds(5000);
    limits.media_timeout = milliseconds(50);
  }

  void Run(std::function<net::Task<>()> body) {
    loop.Spawn(RunAndStop(std::move(body)));
    loop.Run();
  }

  net::Loop loop;
  FakeWorkers workers;
  FakeWorkers shared_workers;
  FakeMediaSource media;
  StreamLimits limits;
  const Clock* clock = &Clock::System();

  Stream::Surroundings Around() { return {loop, workers, shared_workers, media, *clock, limits}; }

 private:
  net::Task<> RunAndStop(std::function<net::Task<>()> body) {
    co_await body();
    loop.Stop();
  }
};

}  // namespace framelock::api
