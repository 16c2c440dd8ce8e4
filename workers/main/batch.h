// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "workers/graph/node_registry.h"

namespace framelock::worker {

/// Runs the commands of the standard input, one a line, each a JSON list of words as `run` and
/// `validate` take them: ["validate", "--prompt", "FILE"]. What a command prints is followed by a
/// line {"exit": STATUS}. Ends with the input: kOfflineGood, or kOfflineUsage at the first line
/// that is no such list.
int RunBatch(const graph::NodeRegistry& registry);

}  // namespace framelock::worker
