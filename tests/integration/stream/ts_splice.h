// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

namespace framelock::stream {

/// One transport stream behind another as if a single muxer had made both: continuity counters go
/// on, and the second's programme map is a newer version.
std::vector<std::uint8_t> Splice(std::vector<std::uint8_t> first, std::vector<std::uint8_t> second);

/// Adds to all clocks and timestamps, modulo 2^33 ticks of 90 kHz.
void ShiftTimes(std::vector<std::uint8_t>& transport_stream, std::int64_t ticks);

}  // namespace framelock::stream
