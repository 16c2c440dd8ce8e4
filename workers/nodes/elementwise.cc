// SPDX-License-Identifier: Apache-2.0
#include "workers/nodes/elementwise.h"

namespace framelock::nodes {

const float kDarkest = 0.0F;
const float kBrightest = 1.0F;

}  // namespace framelock::nodes
