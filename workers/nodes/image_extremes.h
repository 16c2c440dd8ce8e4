// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "pipeline/core/result.h"
#include "workers/graph/tensor.h"

namespace framelock::nodes {

/// The smallest and the largest value of all pixels and channels of all batch elements; not a
/// number if any value is not. Fails without pixels, as torch does.
Result<double> SmallestValue(const graph::Tensor& image);
Result<double> LargestValue(const graph::Tensor& image);

}  // namespace framelock::nodes
