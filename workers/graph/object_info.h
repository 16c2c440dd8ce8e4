// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "workers/graph/json.h"
#include "workers/graph/node_spec.h"

namespace framelock::graph {

/// One class's entry of ComfyUI's GET /object_info, without the prose.
Json ObjectInfo(const NodeSpec& spec);

}  // namespace framelock::graph
