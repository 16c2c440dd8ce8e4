// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/bench/round_trips.h"

namespace framelock::bench {

/// Other ways of a frame to another process and back, written out here. In each the other side is
/// a process that changes nothing.

/// The frame is copied into shared memory, an eventfd says so, another one answers.
Result<Distribution> MeasureSharedMemory(const RoundTrips& trips);
/// The frame goes through a pipe, and comes back through another, 1 MiB deep where that is allowed.
Result<Distribution> MeasurePipe(const RoundTrips& trips);
/// The same through a unix stream socket.
Result<Distribution> MeasureUnixSocket(const RoundTrips& trips);
/// The frame as bytes through Python's multiprocessing.Queue and back. kNotFound without a Python.
Result<Distribution> MeasurePythonQueue(const RoundTrips& trips);

}  // namespace framelock::bench
