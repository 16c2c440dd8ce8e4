// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "pipeline/core/event_fd.h"
#include "pipeline/core/result.h"
#include "workers/protocol/shared_region.h"

namespace framelock::worker {

/// Adds 1 to the host's control page at a steady pace, from a thread of its own, whatever the
/// nodes do. The same thread sees the host's end close while the main thread is stuck in a node.
/// Owned by the live loop; destroying it joins the thread.
class Heartbeat {
 public:
  struct Options {
    int socket_fd = -1;  // borrowed; watched for the host's end closing
    std::chrono::milliseconds period{protocol::kHeartbeatPeriodMs};
    std::chrono::milliseconds grace{300};  // from the close to on_abandoned
    std::function<void()> on_abandoned;    // called once, on the thread, if we still run then
  };

  static Result<std::unique_ptr<Heartbeat>> Start(Options options);
  ~Heartbeat();
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;

  /// Beats in this page from now on; the one before is unmapped. Any thread.
  void Use(protocol::SharedMemory page);

 private:
  Heartbeat(Options options, EventFd stop);
  void Run();
  void Beat();

  const Options options_;
  const EventFd stop_;
  std::mutex mutex_;
  protocol::SharedMemory page_;
  std::thread thread_;
};

}  // namespace framelock::worker
