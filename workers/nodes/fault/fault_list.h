// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "workers/graph/node_registry.h"

namespace framelock::nodes {

// Nodes that pass their image on and misbehave, one file each. Each has an optional `after`: the
// number of shown frames that pass before the fault; rehearsals neither count nor fault.
graph::NodeClass FaultAllocate();
graph::NodeClass FaultCrash();
graph::NodeClass FaultError();
graph::NodeClass FaultExit();
graph::NodeClass FaultHang();
graph::NodeClass FaultLoadSleep();
graph::NodeClass FaultPace();
graph::NodeClass FaultSleep();
graph::NodeClass FaultWrongSequence();

}  // namespace framelock::nodes
