// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "tests/bench/round_trips.h"
#include "workers/host/frame_region.h"
#include "workers/host/worker_client.h"
#include "workers/host/worker_process.h"

namespace framelock::bench {

/// A framelock-worker without a prompt: it takes each frame, checks it, and answers that it has
/// nothing to run on it. So the whole way there and back is real, and no pixel is touched.
class WorkerRoundTrip {
 public:
  static Result<std::unique_ptr<WorkerRoundTrip>> Start(const std::string& worker);

  /// Frames lie in their slots already, as upstream's converter writes them there.
  Result<Distribution> Measure(const RoundTrips& trips);

 private:
  explicit WorkerRoundTrip(host::SpawnedWorker spawned) : process_(std::move(spawned.process)) {}
  Status Attach(const FrameShape& frame);
  Status Trip();
  template <typename Event>
  Result<Event> Next();

  std::unique_ptr<process::ChildProcess> process_;
  std::unique_ptr<host::WorkerClient> client_;
  std::shared_ptr<host::FrameRegion> region_;
  std::uint64_t generation_ = 0;
  std::uint64_t sequence_ = 0;
};

}  // namespace framelock::bench
