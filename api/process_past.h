// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "api/stream_worker.h"
#include "pipeline/process/restart_policy.h"

namespace framelock::api {

/// What became of the processes that a stream had before in one of its two roles: worker, or media
/// process. Plain data of the stream's.
struct ProcessPast {
  explicit ProcessPast(const process::RestartPolicy::Options& restart) : policy(restart) {}

  bool fresh = false;  // the policy does not know yet that the present one runs
  bool lost = false;   // nor that one ended by itself
  std::uint64_t restarts = 0;
  std::optional<Departure> exit;  // of the last one
  process::RestartPolicy policy;
};

}  // namespace framelock::api
