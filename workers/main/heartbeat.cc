// SPDX-License-Identifier: Apache-2.0
#include "workers/main/heartbeat.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <optional>
#include <utility>

#include "pipeline/core/thread_name.h"

namespace framelock::worker {

Heartbeat::Heartbeat(Options options, EventFd stop)
    : options_(std::move(options)), stop_(std::move(stop)) {}

Result<std::unique_ptr<Heartbeat>> Heartbeat::Start(Options options) {
  auto stop = EventFd::Create();
  if (!stop) return stop.error();
  auto heartbeat = std::unique_ptr<Heartbeat>(new Heartbeat(std::move(options), std::move(*stop)));
  heartbeat->thread_ = std::thread([self = heartbeat.get()] { self->Run(); });
  return heartbeat;
}

Heartbeat::~Heartbeat() {
  stop_.Notify();
  if (thread_.joinable()) thread_.join();
}

void Heartbeat::Use(protocol::SharedMemory page) {
  const std::lock_guard lock(mutex_);
  page_ = std::move(page);
}

void Heartbeat::Beat() {
  const std::lock_guard lock(mutex_);
  if (!page_.valid()) return;
  auto* control = reinterpret_cast<protocol::ControlPage*>(page_.bytes().data());
  std::atomic_ref<std::uint64_t>(control->heartbeat).fetch_add(1, std::memory_order_relaxed);
}

void Heartbeat::Run() {
  using std::chrono::steady_clock;
  NameThread("heartbeat");
  std::optional<steady_clock::time_point> closed;
  std::array<pollfd, 2> fds{{{.fd = stop_.fd(), .events = POLLIN, .revents = 0},
                             {.fd = options_.socket_fd, .events = 0, .revents = 0}}};
  for (;;) {
    Beat();
    const auto wait = closed ? std::min(options_.period, options_.grace) : options_.period;
    ::poll(fds.data(), fds.size(), static_cast<int>(wait.count()));
    if ((fds[0].revents & POLLIN) != 0) return;
    if (!closed && (fds[1].revents & (POLLHUP | POLLERR)) != 0) {
      closed = steady_clock::now();
      fds[1].fd = -1;  // it stays readable for ever
    }
    if (closed && steady_clock::now() - *closed >= options_.grace) {
      if (options_.on_abandoned) options_.on_abandoned();
      return;
    }
  }
}

}  // namespace framelock::worker
