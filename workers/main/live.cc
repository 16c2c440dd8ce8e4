// SPDX-License-Identifier: Apache-2.0
#include "workers/main/live.h"

#include <linux/close_range.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <utility>

#include "pipeline/core/log.h"
#include "pipeline/core/packet_socket.h"
#include "pipeline/core/parent_death.h"
#include "workers/main/heartbeat.h"
#include "workers/main/live_dispatcher.h"
#include "workers/main/load_prompt.h"
#include "workers/main/loader_thread.h"

namespace framelock::worker {

namespace {

Status SetLimit(decltype(RLIMIT_CORE) which, std::uint64_t value, const char* what) {
  const rlimit limit{.rlim_cur = value, .rlim_max = value};
  if (::setrlimit(which, &limit) != 0) return ErrnoError(what);
  return {};
}

// What the process gives up before it sees the first prompt.
Status Confine(const LiveOptions& options) {
  if (options.die_with_parent) {
    if (auto set = DieWithParent(*options.die_with_parent); !set) return set;
  }
  const auto socket = static_cast<unsigned>(options.socket.get());
  if ((socket > STDERR_FILENO + 1 && ::close_range(STDERR_FILENO + 1, socket - 1, 0) != 0) ||
      ::close_range(std::max<unsigned>(socket, STDERR_FILENO) + 1, ~0U, 0) != 0) {
    return ErrnoError("close foreign descriptors");
  }
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return ErrnoError("give up new privileges");
  if (auto set = SetLimit(RLIMIT_CORE, 0, "forbid core files"); !set) return set;
  if (options.memory_limit_bytes) {
    return SetLimit(RLIMIT_AS, *options.memory_limit_bytes, "limit the address space");
  }
  return {};
}

// Answers may wait for a slow host; the heartbeat thread ends us if it is gone instead.
Status SendWaiting(const PacketSocket& socket, std::span<const std::byte> bytes,
                   std::span<const int> fds) {
  for (;;) {
    auto sent = socket.Send(bytes, fds);
    if (sent || sent.error().code != ErrorCode::kUnavailable) return sent;
    pollfd writable{.fd = socket.fd(), .events = POLLOUT, .revents = 0};
    ::poll(&writable, 1, -1);
  }
}

int ExitFor(const Error& error) {
  if (error.code == ErrorCode::kClosed) return kLiveStopped;
  spdlog::error("{}; the worker ends", error.message);
  return error.code == ErrorCode::kProtocol ? kLiveProtocolError : kLiveFailed;
}

int Serve(const PacketSocket& socket, const LoaderThread& loader, LiveDispatcher& dispatcher) {
  for (;;) {
    if (auto moved = dispatcher.MoveOn(); !moved) return ExitFor(moved.error());
    auto packet = socket.Receive();
    if (!packet) return ExitFor(packet.error());
    if (!packet->has_value()) {
      std::array<pollfd, 2> readable{{{.fd = socket.fd(), .events = POLLIN, .revents = 0},
                                      {.fd = loader.fd(), .events = POLLIN, .revents = 0}}};
      ::poll(readable.data(), readable.size(), -1);
      continue;
    }
    auto next = dispatcher.Handle(std::move(**packet));
    if (!next) return ExitFor(next.error());
    if (*next == LiveDispatcher::Next::kStop) return kLiveStopped;
  }
}

}  // namespace

int RunLive(LiveOptions options) {
  ::signal(SIGPIPE, SIG_IGN);  // the reader of our stderr may end before the host's socket does
  if (auto confined = Confine(options); !confined) return ExitFor(confined.error());
  auto socket = PacketSocket::Adopt(std::move(options.socket));
  if (!socket) return ExitFor(socket.error());
  auto loader = LoaderThread::Create([&registry = *options.registry](PromptLoader::Job job) {
    return LoadPrompt(registry, {}, std::move(job));
  });
  if (!loader) return ExitFor(loader.error());
  auto heartbeat = Heartbeat::Start({.socket_fd = socket->fd(), .on_abandoned = [] {
                                       // A node holds the main thread: nothing can be unwound.
                                       ::_exit(kLiveAbandoned);
                                     }});
  if (!heartbeat) return ExitFor(heartbeat.error());
  LiveDispatcher dispatcher(
      **loader,
      {.send = [&socket](auto bytes, auto fds) { return SendWaiting(*socket, bytes, fds); },
       .use_control_page = [&heartbeat](auto page) { (*heartbeat)->Use(std::move(page)); }});
  const int exit_status = Serve(*socket, **loader, dispatcher);
  // A node holds the loader's thread: nothing can be unwound.
  if ((*loader)->busy()) ::_exit(exit_status);
  return exit_status;
}

}  // namespace framelock::worker
