// SPDX-License-Identifier: Apache-2.0
#include "workers/main/live.h"

#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <fstream>
#include <string>
#include <utility>

#include "pipeline/core/log.h"
#include "pipeline/core/packet_socket.h"
#include "pipeline/core/parent_death.h"
#include "workers/main/heartbeat.h"
#include "workers/main/host_table.h"

namespace framelock::worker {

namespace {

// For nodes to let go of what they hold; within the half second that a worker has to end.
constexpr std::chrono::milliseconds kSettle{250};

Status SetLimit(decltype(RLIMIT_CORE) which, std::uint64_t value, const char* what) {
  const rlimit limit{.rlim_cur = value, .rlim_max = value};
  if (::setrlimit(which, &limit) != 0) return ErrnoError(what);
  return {};
}

// Where memory runs out it is a worker that goes, and its stream gets another one. Where all
// processes go more easily than that, so does this one.
void PreferToDie() {
  constexpr int kScore = 500;
  std::fstream file("/proc/self/oom_score_adj");
  int score = kScore;
  if (file >> score && score >= kScore) return;
  file.clear();
  if (!(file << kScore << std::flush)) spdlog::debug("oom_score_adj cannot be set");
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
  PreferToDie();
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return ErrnoError("give up new privileges");
  if (auto set = SetLimit(RLIMIT_CORE, 0, "forbid core files"); !set) return set;
  if (options.memory_limit_bytes) {
    return SetLimit(RLIMIT_AS, *options.memory_limit_bytes, "limit the address space");
  }
  return {};
}

int ExitFor(const Error& error) {
  if (error.code == ErrorCode::kClosed) return kLiveStopped;
  spdlog::error("{}; the worker ends", error.message);
  return error.code == ErrorCode::kProtocol ? kLiveProtocolError : kLiveFailed;
}

}  // namespace

int RunLive(LiveOptions options) {
  ::signal(SIGPIPE, SIG_IGN);  // the reader of our stderr may end before the host's socket does
  if (auto confined = Confine(options); !confined) return ExitFor(confined.error());
  auto socket = PacketSocket::Adopt(std::move(options.socket));
  if (!socket) return ExitFor(socket.error());
  auto heartbeat = Heartbeat::Start({.on_abandoned = [] {
    // A node holds the main thread: nothing can be unwound.
    ::_exit(kLiveAbandoned);
  }});
  if (!heartbeat) return ExitFor(heartbeat.error());
  const auto nodes = options.nodes();
  if (!nodes) return ExitFor(nodes.error());
  graph::RowThreads threads(options.threads);
  if (threads.count() < options.threads) {
    return ExitFor({ErrorCode::kResourceLimit,
                    "--threads: the system has no more than " + std::to_string(threads.count())});
  }
  HostTable hosts(**nodes, **heartbeat, std::move(options.nodes_in), threads);
  if (auto added = hosts.Add(std::move(*socket)); !added) return ExitFor(added.error());
  while (!hosts.empty()) {
    if (hosts.Serve() == HostTable::Turn::kIdle) hosts.Wait();
  }
  const int exit_status = hosts.last_end() ? kLiveStopped : ExitFor(hosts.last_end().error());
  // A node holds a loader's thread: nothing can be unwound.
  if (!hosts.Settle(kSettle)) ::_exit(exit_status);
  return exit_status;
}

}  // namespace framelock::worker
