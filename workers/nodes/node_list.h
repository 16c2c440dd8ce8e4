// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "workers/graph/node_registry.h"

namespace framelock::nodes {

// The node classes, one file each, named after the class.
graph::NodeClass ImageBlend();
graph::NodeClass ImageBlur();
graph::NodeClass ImageInvert();
graph::NodeClass ImageScale();
graph::NodeClass LoadTensor();
graph::NodeClass SaveTensor();

}  // namespace framelock::nodes
