// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/progress.h"

#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>

#include "pipeline/core/clock.h"

namespace framelock::bench {
namespace {

struct Latest {
  std::mutex mutex;
  SteadyTime time = std::chrono::steady_clock::now();
  std::string what = "start";
};

Latest& TheLatest() {
  static Latest latest;
  return latest;
}

// Returns when asked to; ends the process when nothing was told for too long.
void Guard(const std::stop_token& stop, std::chrono::seconds longest) {
  Latest& latest = TheLatest();
  std::condition_variable_any stopped;
  std::unique_lock lock(latest.mutex);
  while (!stop.stop_requested()) {
    const SteadyTime due = latest.time + longest;
    if (std::chrono::steady_clock::now() >= due) {
      std::fprintf(stderr, "framelock-bench: \"%s\" was not done after %lld s\n",
                   latest.what.c_str(), static_cast<long long>(longest.count()));
      std::_Exit(1);
    }
    stopped.wait_until(lock, stop, due, [] { return false; });
  }
}

}  // namespace

void TellProgress(std::string_view what) {
  static const SteadyTime begin = std::chrono::steady_clock::now();
  Latest& latest = TheLatest();
  const std::lock_guard lock(latest.mutex);
  latest.time = std::chrono::steady_clock::now();
  latest.what = what;
  const std::chrono::duration<double> passed = latest.time - begin;
  std::fprintf(stderr, "%7.0f s  %s\n", passed.count(), latest.what.c_str());
}

StallGuard::StallGuard(std::chrono::seconds longest)
    : thread_([longest](const std::stop_token& stop) { Guard(stop, longest); }) {}

}  // namespace framelock::bench
