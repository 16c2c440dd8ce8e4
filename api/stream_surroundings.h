// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "api/media_process.h"
#include "api/stream_limits.h"
#include "api/stream_worker.h"
#include "pipeline/core/clock.h"
#include "pipeline/net/loop.h"

namespace framelock::api {

/// What streams work with; borrowed, outlives every stream.
struct StreamSurroundings {
  net::Loop& loop;
  WorkerSource& workers;
  WorkerSource& shared_workers;
  MediaSource& media;
  const Clock& clock;
  StreamLimits limits;
};

}  // namespace framelock::api
