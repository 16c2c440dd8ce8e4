// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>

#include "pipeline/process/child_process.h"
#include "pipeline/process/restart_policy.h"

namespace framelock::api {

/// Every time and number that bounds one stream's supervision.
struct StreamLimits {
  std::chrono::milliseconds worker_timeout{30'000};  // of a start, until the pool has a worker
  std::chrono::milliseconds prompt_timeout{15'000};  // until a worker has judged a prompt
  std::chrono::milliseconds media_timeout{15'000};   // until framelock-stream says "started"
  std::chrono::milliseconds media_silence{5'000};    // without a message: it hangs, replace it
  std::size_t max_waiting_updates = 8;               // a stream; further ones get 503
  process::KillLadder ladder{.cooperative = std::chrono::milliseconds(2500),
                             .term = std::chrono::milliseconds(1000)};
  process::RestartPolicy::Options restart;  // of worker and media process, each
};

}  // namespace framelock::api
