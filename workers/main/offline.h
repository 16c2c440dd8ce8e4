// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "workers/graph/node_registry.h"
#include "workers/main/arguments.h"

namespace framelock::worker {

/// Exit statuses of the offline commands.
enum OfflineExit : int {
  kOfflineGood = 0,
  kOfflineBad = 1,    // the prompt is invalid, or a node failed
  kOfflineUsage = 2,  // the command line or a file is wrong
};

/// The options of `run` and `validate`, without those that every command takes.
OptionNames RunOptionNames();
OptionNames ValidateOptionNames();

/// Runs a prompt once on frames from a file, without any socket. Prints one line of JSON: what came
/// out, or {"failed":{node_id,class_type,message}}, or the verdict on an invalid prompt.
int RunOffline(const Arguments& arguments, const graph::NodeRegistry& registry);

/// Prints ComfyUI's verdict on a prompt as one line of JSON.
int ValidateOffline(const Arguments& arguments, const graph::NodeRegistry& registry);

/// Prints every node class as one JSON object: ComfyUI's /object_info without the prose.
int PrintNodes(const graph::NodeRegistry& registry);

}  // namespace framelock::worker
