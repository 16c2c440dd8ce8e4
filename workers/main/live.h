// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "pipeline/core/unique_fd.h"

namespace framelock::graph {
class NodeRegistry;
}

namespace framelock::worker {

struct LiveOptions {
  UniqueFd socket;                                // our end of the host's SOCK_SEQPACKET pair
  const graph::NodeRegistry* registry = nullptr;  // never null; outlives the call
};

/// Serves one host over the socket until it says Stop or goes away. Returns the exit status.
int RunLive(LiveOptions options);

}  // namespace framelock::worker
