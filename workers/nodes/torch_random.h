// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

namespace framelock::nodes {

/// What torch.randn() gives on a CPU after manual_seed(seed): MT19937 with the seed's low 32 bits,
/// then Box-Muller in blocks of 16, and one by one below 16 values. Equal to torch but for the last
/// bits of the logarithm, sine and cosine.
void FillNormal(std::span<float> values, std::uint64_t seed);

}  // namespace framelock::nodes
