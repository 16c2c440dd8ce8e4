// SPDX-License-Identifier: Apache-2.0
#include "workers/main/heartbeat.h"

#include <poll.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <utility>

#include "pipeline/core/thread_name.h"

namespace framelock::worker {

Heartbeat::Heartbeat(Options options, EventFd wake)
    : options_(std::move(options)), wake_(std::move(wake)) {}

Result<std::unique_ptr<Heartbeat>> Heartbeat::Start(Options options) {
  auto wake = EventFd::Create();
  if (!wake) return wake.error();
  auto heartbeat = std::unique_ptr<Heartbeat>(new Heartbeat(std::move(options), std::move(*wake)));
  heartbeat->thread_ = std::thread([self = heartbeat.get()] { self->Run(); });
  return heartbeat;
}

Heartbeat::~Heartbeat() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.Notify();
  if (thread_.joinable()) thread_.join();
}

Heartbeat::HostId Heartbeat::Watch(int socket_fd) {
  const std::lock_guard lock(mutex_);
  Host host;
  host.id = ++last_id_;
  host.socket_fd = socket_fd;
  hosts_.push_back(std::move(host));
  wake_.Notify();
  return last_id_;
}

void Heartbeat::Use(HostId id, protocol::SharedMemory page) {
  const std::lock_guard lock(mutex_);
  for (Host& host : hosts_) {
    if (host.id == id) host.page = std::move(page);
  }
}

void Heartbeat::Forget(HostId id) {
  const std::lock_guard lock(mutex_);
  std::erase_if(hosts_, [id](const Host& host) { return host.id == id; });
  wake_.Notify();
}

void Heartbeat::Beat() {
  const std::lock_guard lock(mutex_);
  for (Host& host : hosts_) {
    if (!host.page.valid()) continue;
    auto* control = reinterpret_cast<protocol::ControlPage*>(host.page.bytes().data());
    std::atomic_ref<std::uint64_t>(control->heartbeat).fetch_add(1, std::memory_order_relaxed);
  }
}

// False: it is time to end.
bool Heartbeat::AwaitNews(std::chrono::milliseconds wait) {
  std::vector<pollfd> fds{{.fd = wake_.fd(), .events = POLLIN, .revents = 0}};
  std::vector<HostId> ids{0};
  {
    const std::lock_guard lock(mutex_);
    if (stop_) return false;
    for (const Host& host : hosts_) {
      if (host.closed) continue;  // it stays readable for ever
      fds.push_back({.fd = host.socket_fd, .events = 0, .revents = 0});
      ids.push_back(host.id);
    }
  }
  ::poll(fds.data(), fds.size(), static_cast<int>(wait.count()));
  wake_.Drain();
  for (std::size_t i = 1; i < fds.size(); ++i) {
    if ((fds[i].revents & (POLLHUP | POLLERR)) != 0) NoteClosed(ids[i]);
  }
  return true;
}

void Heartbeat::NoteClosed(HostId id) {
  const std::lock_guard lock(mutex_);
  for (Host& host : hosts_) {
    if (host.id == id) host.closed = true;
  }
}

bool Heartbeat::Abandoned() {
  const std::lock_guard lock(mutex_);
  return !hosts_.empty() &&
         std::all_of(hosts_.begin(), hosts_.end(), [](const Host& host) { return host.closed; });
}

void Heartbeat::Run() {
  using std::chrono::steady_clock;
  NameThread("heartbeat");
  std::optional<steady_clock::time_point> abandoned;
  auto next_beat = steady_clock::now();
  for (;;) {
    // News of hosts come in between; the pace stays.
    if (steady_clock::now() >= next_beat) {
      Beat();
      next_beat = steady_clock::now() + options_.period;
    }
    auto wait = std::chrono::ceil<std::chrono::milliseconds>(next_beat - steady_clock::now());
    wait = std::max(wait, std::chrono::milliseconds(0));
    if (abandoned) wait = std::min(wait, options_.grace);
    if (!AwaitNews(wait)) return;
    if (!Abandoned()) {
      abandoned.reset();
      continue;
    }
    if (!abandoned) abandoned = steady_clock::now();
    if (steady_clock::now() - *abandoned >= options_.grace) {
      if (options_.on_abandoned) options_.on_abandoned();
      return;
    }
  }
}

}  // namespace framelock::worker
