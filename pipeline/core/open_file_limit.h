// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "pipeline/core/result.h"

namespace framelock {

/// Raises this process's soft limit of open descriptors to the hard one and returns what it was:
/// children get that back, for select() in them knows no number beyond 1023. For a main function.
Result<std::uint64_t> RaiseOpenFileLimit();

}  // namespace framelock
