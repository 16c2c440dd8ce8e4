// SPDX-License-Identifier: Apache-2.0
#include "workers/nodes/made_size.h"

#include <string>

namespace framelock::nodes {

Result<graph::TensorShape> MadeShape(const StatedShape& stated, graph::TensorLayout layout) {
  constexpr std::int64_t kMost = 1 << 20;
  for (const std::int64_t side : {stated.batch, stated.height, stated.width, stated.channels}) {
    if (side < 0 || side > kMost) {
      return Error{ErrorCode::kInvalidArgument, "a side of " + std::to_string(side) +
                                                    " is not within 0 to " + std::to_string(kMost)};
    }
  }
  const auto narrow = [](std::int64_t side) { return static_cast<std::uint32_t>(side); };
  return graph::TensorShape{narrow(stated.batch), narrow(stated.height), narrow(stated.width),
                            narrow(stated.channels), layout};
}

}  // namespace framelock::nodes
