// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>

#include "pipeline/core/result.h"
#include "workers/graph/node_registry.h"

namespace framelock::nodes {

class Workspace;

/// Fault nodes crash, hang and lie on request: for tests of everything around the worker.
enum class FaultNodes : std::uint8_t { kAbsent, kPresent };

/// All node classes of this worker. Construct once at start-up and keep until the last session
/// ends. Without a workspace, the classes that use picture files refuse every prompt.
Result<graph::NodeRegistry> BuiltinNodes(FaultNodes faults = FaultNodes::kAbsent,
                                         const std::shared_ptr<const Workspace>& workspace = {});

}  // namespace framelock::nodes
