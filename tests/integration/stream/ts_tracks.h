// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

namespace framelock::stream {

/// A transport stream taken apart by hand: what a reader finds without any decoder's opinion.
struct TsTrack {
  struct Unit {
    std::int64_t pts = 0;    // 90 kHz
    std::size_t packet = 0;  // where it begins in the stream
    std::vector<std::uint8_t> bytes;
  };
  std::vector<Unit> units;
  int holes = 0;  // jumps of the continuity counter
};

struct TsProgramme {
  using Key = std::pair<std::uint16_t, std::uint8_t>;  // PID and stream type
  std::map<Key, TsTrack> tracks;                       // all that a map ever named
  std::vector<std::vector<std::uint16_t>> maps;  // the PIDs of each map that differs from the last

  [[nodiscard]] const TsTrack* Find(std::uint8_t stream_type) const;
};

TsProgramme ReadProgramme(const std::vector<std::uint8_t>& transport_stream);

}  // namespace framelock::stream
