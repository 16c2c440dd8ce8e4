// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "pipeline/core/result.h"
#include "workers/graph/node_registry.h"
#include "workers/nodes/abi/framelock_node.h"

namespace framelock::nodes {

/// A node class of this worker out of one that a library describes: validated, shown and run as the
/// built-in ones. `host` and the library's functions outlive the class. Errors as SpecOf's.
Result<graph::NodeClass> MakeAbiClass(const framelock_class& given, const framelock_host& host,
                                      const std::string& module);

// The functions of the host's table that nodes call while they run; framelock_node.h says what they
// do. Only for calls that come from a class made above.
float* MakeTensor(const framelock_call* call, std::uint32_t output, framelock_shape shape) noexcept;
void SetOutput(const framelock_call* call, std::uint32_t output,
               const framelock_value* value) noexcept;
void SetError(const framelock_call* call, const char* text) noexcept;

}  // namespace framelock::nodes
