// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <thread>

#include "pipeline/core/event_fd.h"
#include "pipeline/core/result.h"

namespace framelock::stream {

/// Ends the process at once (exit code 1) when the other end of a socket closes, whatever the other
/// threads are stuck in. Borrows the descriptor, which must outlive it.
class PeerWatch {
 public:
  static Result<std::unique_ptr<PeerWatch>> Start(int socket);
  ~PeerWatch();
  PeerWatch(const PeerWatch&) = delete;
  PeerWatch& operator=(const PeerWatch&) = delete;

 private:
  PeerWatch(int socket, EventFd stop);

  const EventFd stop_;
  std::thread thread_;
};

}  // namespace framelock::stream
