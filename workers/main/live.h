// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "pipeline/core/unique_fd.h"
#include "workers/main/load_prompt.h"

namespace framelock::worker {

struct LiveOptions {
  UniqueFd socket;  // our end of the host's SOCK_SEQPACKET pair
  /// The node classes of prompts without a cwd. Never unset; called once the process is confined,
  /// so that descriptors that they hold stay open, and before `nodes_in`.
  std::function<Result<std::shared_ptr<const graph::NodeRegistry>>()> nodes;
  NodesIn nodes_in;                                 // of prompts with one; unset: they are refused
  std::optional<pid_t> die_with_parent;             // SIGKILL for us when this parent ends
  std::optional<std::uint64_t> memory_limit_bytes;  // of address space; unset: none
  std::size_t threads = 1;                          // for the pixels of a frame, ours included
};

/// How a live worker ends.
enum LiveExit : int {
  kLiveStopped = 0,        // the host said Stop or closed its end
  kLiveFailed = 1,         // could not start
  kLiveAbandoned = 3,      // the host closed its end while a node did not come back
  kLiveProtocolError = 4,  // the host broke the protocol
};

/// Serves one host after the other over the socket, and those that it brings over theirs, until
/// each has said Stop or is gone. Confines the process first (no core file, no new privileges, no
/// other descriptors). Returns the exit status, one of LiveExit.
int RunLive(LiveOptions options);

}  // namespace framelock::worker
