// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <type_traits>

namespace framelock::bench {

/// The first bytes of a chunk under load: when it was written, and where it belongs.
struct LoadStamp {
  std::int64_t written_ns = 0;  // steady clock
  std::uint32_t channel = 0;
  std::uint32_t segment = 0;
  std::uint32_t chunk = 0;
  std::uint32_t reserved = 0;
};
static_assert(sizeof(LoadStamp) == 24 && std::is_trivially_copyable_v<LoadStamp>);

}  // namespace framelock::bench
