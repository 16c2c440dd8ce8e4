// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "pipeline/core/result.h"
#include "workers/graph/node_registry.h"
#include "workers/nodes/abi/framelock_node.h"

namespace framelock::nodes {

/// Adds the classes of one library, all of them or none: one that is malformed, or whose name is
/// taken, refuses all. `module` is the library's name. What the library points to must stay.
Status AddNodes(framelock_nodes_entry entry, const std::string& module,
                graph::NodeRegistry& registry);

/// Loads each *.so of a folder, in the order of their names, runs code of theirs, and never unloads
/// them. The errors are those of libraries that were left out, each naming the file and the reason;
/// kInvalidArgument if the folder itself cannot be read. At start-up, before the registry is used.
Result<std::vector<Error>> LoadNodeFolder(const std::string& folder, graph::NodeRegistry& registry);

}  // namespace framelock::nodes
