// SPDX-License-Identifier: Apache-2.0
// A library for another version of the interface.
#include "workers/nodes/abi/framelock_node.h"

extern "C" __attribute__((visibility("default"))) int framelock_nodes_v0(const framelock_host*,
                                                                         framelock_registry*) {
  return 0;
}
