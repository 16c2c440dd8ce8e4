// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "api/stream_worker.h"
#include "pipeline/core/clock.h"
#include "pipeline/net/loop.h"
#include "pipeline/process/child_process.h"

namespace framelock::api {

/// Ends a worker whose departure notifies `changed` by the ladder: its socket closed, SIGTERM,
/// SIGKILL. Returns when it is gone.
net::Task<> EndWorker(StreamWorker& worker, net::Signal& changed, const Clock& clock,
                      const process::KillLadder& ladder);

}  // namespace framelock::api
