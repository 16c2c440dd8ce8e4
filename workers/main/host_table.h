// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "pipeline/core/packet_socket.h"
#include "pipeline/core/result.h"
#include "workers/main/heartbeat.h"
#include "workers/main/live_dispatcher.h"
#include "workers/main/load_prompt.h"
#include "workers/main/loader_thread.h"

namespace framelock::worker {

/// The hosts that one worker process serves: each has a socket, a graph, a loader for the next one
/// and a region of its own, and nothing of one is ever seen by another. They are served in turn,
/// one message of each, so that none starves. A host that leaves, or breaks the protocol, ends its
/// own conversation and no other. Owned by the live loop; one thread.
class HostTable {
 public:
  static constexpr std::size_t kMaxHosts = 64;

  /// What a turn came to. kIdle: no host had sent anything.
  enum class Turn : std::uint8_t { kServed, kIdle };

  /// All but `nodes_in` are borrowed; that: see LoadOptions; called by the loaders' threads.
  HostTable(const graph::NodeRegistry& registry, Heartbeat& heartbeat, NodesIn nodes_in = {},
            graph::RowThreads& threads = graph::RowThreads::Alone())
      : registry_(registry),
        heartbeat_(heartbeat),
        nodes_in_(std::move(nodes_in)),
        threads_(threads) {}
  ~HostTable();
  HostTable(const HostTable&) = delete;
  HostTable& operator=(const HostTable&) = delete;

  /// A further host; the first one may bring others (AddHost). Answers how many there are then.
  /// kResourceLimit: kMaxHosts are there, those that left while they loaded included.
  Result<std::uint32_t> Add(PacketSocket socket);

  /// One message of each host that has sent one, and the prompts that have been loaded.
  Turn Serve();
  /// Sleeps until a host has sent something, or a prompt has been loaded.
  void Wait() const;
  /// Whether the prompt of a host, one that has left perhaps, is still being loaded: its thread is
  /// in the hands of a node.
  [[nodiscard]] bool loading() const;
  [[nodiscard]] bool empty() const { return hosts_.empty(); }
  /// Waits until what the hosts that left had loaded or held is destroyed, so long at most; false:
  /// a node holds a loader's thread. Once it is empty().
  bool Settle(std::chrono::milliseconds most);
  /// How the last one that left did.
  [[nodiscard]] const Status& last_end() const { return last_end_; }

 private:
  struct Host {
    Heartbeat::HostId id = 0;
    PacketSocket socket;
    std::unique_ptr<LoaderThread> loader;
    std::unique_ptr<LiveDispatcher> dispatcher;
    bool ended = false;
  };

  Turn ServeOne(Host& host);
  void End(Host& host, Status how);
  void Forget();
  void ForgetIdle();
  Status Send(const Host& host, std::span<const std::byte> bytes, std::span<const int> fds) const;

  const graph::NodeRegistry& registry_;
  Heartbeat& heartbeat_;
  const NodesIn nodes_in_;
  graph::RowThreads& threads_;
  std::vector<std::unique_ptr<Host>> hosts_;
  std::vector<std::unique_ptr<LoaderThread>> leaving_;  // of hosts that left while they loaded
  Status last_end_;
};

}  // namespace framelock::worker
