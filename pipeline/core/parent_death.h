// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include "pipeline/core/result.h"

namespace framelock {

/// For a child's main: SIGKILL for us when the parent's spawning thread ends, and at once if it has
/// ended already (our parent is no longer `expected_parent`).
Status DieWithParent(pid_t expected_parent);

}  // namespace framelock
