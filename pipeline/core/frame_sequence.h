// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>

namespace framelock {

/// Number of an input frame on one stream, from 1 upwards, never reused within a process.
struct FrameSequence {
  std::uint64_t value = 0;
  auto operator<=>(const FrameSequence&) const = default;
};

}  // namespace framelock
