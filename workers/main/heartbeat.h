// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "pipeline/core/event_fd.h"
#include "pipeline/core/result.h"
#include "workers/protocol/shared_region.h"

namespace framelock::worker {

/// Adds 1 to the control page of every host at a steady pace, from a thread of its own, whatever
/// the nodes do. The same thread sees the hosts' ends close while the main thread is stuck in a
/// node. Owned by the live loop; destroying it joins the thread.
class Heartbeat {
 public:
  struct Options {
    std::chrono::milliseconds period{protocol::kHeartbeatPeriodMs};
    std::chrono::milliseconds grace{300};  // from the last host's close to on_abandoned
    std::function<void()> on_abandoned;    // called once, on the thread, if we still run then
  };
  using HostId = std::uint64_t;

  static Result<std::unique_ptr<Heartbeat>> Start(Options options);
  ~Heartbeat();
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;

  // Any thread.
  /// Watches for the far end of this socket to close. It stays the caller's: Forget() comes before
  /// it is closed.
  HostId Watch(int socket_fd);
  /// Beats in this page of the host's from now on; the one before is unmapped.
  void Use(HostId host, protocol::SharedMemory page);
  void Forget(HostId host);

 private:
  struct Host {
    HostId id;
    int socket_fd;
    bool closed = false;
    protocol::SharedMemory page;
  };

  Heartbeat(Options options, EventFd wake);
  void Run();
  void Beat();
  bool AwaitNews(std::chrono::milliseconds wait);
  void NoteClosed(HostId id);
  [[nodiscard]] bool Abandoned();

  const Options options_;
  const EventFd wake_;
  std::mutex mutex_;
  bool stop_ = false;
  HostId last_id_ = 0;
  std::vector<Host> hosts_;
  std::thread thread_;
};

}  // namespace framelock::worker
