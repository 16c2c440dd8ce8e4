// SPDX-License-Identifier: Apache-2.0
// A library that has a good class and then wants to be ImageInvert.
#include "workers/nodes/abi/framelock_node.h"

int framelock_nodes_v1(const framelock_host* host, framelock_registry* registry) {
  framelock_class given{.size = sizeof(framelock_class),
                        .class_type = "TestBeside",
                        .execute = [](void*, const framelock_call*) { return 0; }};
  host->add_class(registry, &given);
  given.class_type = "ImageInvert";
  host->add_class(registry, &given);
  return 0;
}
