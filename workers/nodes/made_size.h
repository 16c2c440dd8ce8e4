// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "pipeline/core/result.h"
#include "workers/graph/tensor.h"

namespace framelock::nodes {

/// A shape as a prompt states it: numbers that came along a link are not held to any bounds.
struct StatedShape {
  std::int64_t batch = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t channels = 0;
};

/// The same as a tensor's shape; kInvalidArgument unless every number is from 0 to 2^20.
Result<graph::TensorShape> MadeShape(const StatedShape& stated, graph::TensorLayout layout);

}  // namespace framelock::nodes
