// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stream/peer_watch.h"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "pipeline/core/thread_name.h"

namespace framelock::stream {

namespace {

void Watch(int socket, int stop) {
  NameThread("watch");
  // Only the end of the peer wakes us: nothing is read here.
  std::array<pollfd, 2> entries{{{socket, POLLRDHUP, 0}, {stop, POLLIN, 0}}};
  for (;;) {
    if (::poll(entries.data(), entries.size(), -1) < 0) continue;
    if (entries[1].revents != 0) return;
    if (entries[0].revents != 0) ::_exit(1);
  }
}

}  // namespace

PeerWatch::PeerWatch(int socket, EventFd stop)
    : stop_(std::move(stop)), thread_(&Watch, socket, stop_.fd()) {}

PeerWatch::~PeerWatch() {
  stop_.Notify();
  thread_.join();
}

Result<std::unique_ptr<PeerWatch>> PeerWatch::Start(int socket) {
  Result<EventFd> stop = EventFd::Create();
  if (!stop) return stop.error();
  return std::unique_ptr<PeerWatch>(new PeerWatch(socket, std::move(*stop)));
}

}  // namespace framelock::stream
