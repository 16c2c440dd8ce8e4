// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "pipeline/core/result.h"
#include "workers/graph/node_spec.h"
#include "workers/nodes/abi/framelock_node.h"

namespace framelock::nodes {

/// What a value of a FRAMELOCK_ type is here; kAny if there is no such type.
graph::ValueKind KindOf(std::uint32_t type);

/// A loaded class in this worker's terms, with nothing left that points into the library. `module`
/// is the library's name. kInvalidArgument naming the class, the input and what is wrong with it.
Result<graph::NodeSpec> SpecOf(const framelock_class& given, const std::string& module);

}  // namespace framelock::nodes
