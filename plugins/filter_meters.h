// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "pipeline/core/drop_counter.h"
#include "pipeline/core/latency_window.h"
#include "pipeline/core/rate_meter.h"

namespace framelock::plugins {

/// What a filter measures over time; its counts are in FilterStats. The owner locks.
struct FilterMeters {
  DropCounter failures;
  LatencyWindow latency;
  RateMeter inputs, outputs;
};

}  // namespace framelock::plugins
