// SPDX-License-Identifier: Apache-2.0
#include "workers/main/host_table.h"

#include <poll.h>

#include <algorithm>
#include <utility>

#include "pipeline/core/log.h"

namespace framelock::worker {

HostTable::~HostTable() {
  for (const auto& host : hosts_) heartbeat_.Forget(host->id);
}

Result<std::uint32_t> HostTable::Add(PacketSocket socket) {
  ForgetIdle();
  if (hosts_.size() + leaving_.size() >= kMaxHosts) {
    return Error{ErrorCode::kResourceLimit,
                 "there are " + std::to_string(kMaxHosts) + " hosts already"};
  }
  LoadOptions options;
  options.nodes_in = nodes_in_;
  options.session.threads = &threads_;
  auto loader = LoaderThread::Create(
      [&registry = registry_, options = std::move(options)](PromptLoader::Job job) {
        return LoadPrompt(registry, options, std::move(job));
      });
  if (!loader) return loader.error();
  auto host = std::make_unique<Host>();
  host->socket = std::move(socket);
  host->loader = std::move(*loader);
  host->id = heartbeat_.Watch(host->socket.fd());
  LiveDispatcher::Outlet outlet{
      .send = [this, at = host.get()](auto bytes, auto fds) { return Send(*at, bytes, fds); },
      .offer = [at = host.get()](auto bytes, auto fds) { return at->socket.Send(bytes, fds); },
      .use_control_page = [this, id = host->id](auto page) { heartbeat_.Use(id, std::move(page)); },
      .add_host = {}};
  if (hosts_.empty()) {
    outlet.add_host = [this](UniqueFd fd) -> Result<std::uint32_t> {
      auto adopted = PacketSocket::Adopt(std::move(fd));
      if (!adopted) return adopted.error();
      return Add(std::move(*adopted));
    };
  }
  host->dispatcher = std::make_unique<LiveDispatcher>(*host->loader, std::move(outlet));
  hosts_.push_back(std::move(host));
  return static_cast<std::uint32_t>(hosts_.size());
}

HostTable::Turn HostTable::Serve() {
  Turn turn = Turn::kIdle;
  // By number: a host may bring another one.
  for (std::size_t i = 0; i < hosts_.size(); ++i) {
    if (ServeOne(*hosts_[i]) == Turn::kServed) turn = Turn::kServed;
  }
  Forget();
  return turn;
}

HostTable::Turn HostTable::ServeOne(Host& host) {
  if (auto moved = host.dispatcher->MoveOn(); !moved) {
    End(host, moved.error());
    return Turn::kServed;
  }
  auto packet = host.socket.Receive();
  if (packet && !packet->has_value()) return Turn::kIdle;
  if (!packet) {
    End(host, packet.error());
    return Turn::kServed;
  }
  const auto next = host.dispatcher->Handle(std::move(**packet));
  if (!next) End(host, next.error());
  if (next && *next == LiveDispatcher::Next::kStop) End(host, {});
  return Turn::kServed;
}

void HostTable::End(Host& host, Status how) {
  host.ended = true;
  const bool gone = how.ok() || how.error().code == ErrorCode::kClosed;
  if (!gone) spdlog::error("{}; the conversation ends", how.error().message);
  last_end_ = std::move(how);
}

// What a node holds cannot be joined, and the others shall not wait for it.
void HostTable::ForgetIdle() {
  std::erase_if(leaving_, [](const auto& loader) { return !loader->busy(); });
}

bool HostTable::Settle(std::chrono::milliseconds most) {
  const auto deadline = std::chrono::steady_clock::now() + most;
  return std::all_of(leaving_.begin(), leaving_.end(),
                     [&](const auto& loader) { return loader->AwaitIdle(deadline); });
}

void HostTable::Forget() {
  ForgetIdle();
  for (const auto& host : hosts_) {
    if (!host->ended) continue;
    heartbeat_.Forget(host->id);
    if (hosts_.size() > 1) host->dispatcher->Retire();
    host->dispatcher.reset();
    host->loader->Abandon();
    if (host->loader->busy()) leaving_.push_back(std::move(host->loader));
  }
  std::erase_if(hosts_, [](const auto& host) { return host->ended; });
}

bool HostTable::loading() const {
  return !leaving_.empty() || std::any_of(hosts_.begin(), hosts_.end(),
                                          [](const auto& host) { return host->loader->busy(); });
}

void HostTable::Wait() const {
  std::vector<pollfd> fds;
  fds.reserve(2 * hosts_.size());
  for (const auto& host : hosts_) {
    fds.push_back({.fd = host->socket.fd(), .events = POLLIN, .revents = 0});
    fds.push_back({.fd = host->loader->fd(), .events = POLLIN, .revents = 0});
  }
  ::poll(fds.data(), fds.size(), -1);
}

// Alone, a host that is slow to read is waited for (the heartbeat's thread ends us if it is gone
// instead); with others there it is not, for they would wait as well.
Status HostTable::Send(const Host& host, std::span<const std::byte> bytes,
                       std::span<const int> fds) const {
  for (;;) {
    auto sent = host.socket.Send(bytes, fds);
    if (sent || sent.error().code != ErrorCode::kUnavailable) return sent;
    if (hosts_.size() > 1) {
      return Error{ErrorCode::kResourceLimit, "a host does not read its answers"};
    }
    pollfd writable{.fd = host.socket.fd(), .events = POLLOUT, .revents = 0};
    ::poll(&writable, 1, -1);
  }
}

}  // namespace framelock::worker
