// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>

namespace framelock {

/// Number of an input frame on one stream, from 1 upwards, never reused within a process.
struct FrameSequence {
  std::uint64_t value = 0;
  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 takes the comparison's 0 for a pointer.
  auto operator<=>(const FrameSequence&) const = default;
};

}  // namespace framelock
