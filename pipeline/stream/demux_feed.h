// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "pipeline/core/ts_packet.h"
#include "pipeline/stream/pes_ends.h"
#include "pipeline/stream/ts_continuity.h"

namespace framelock::stream {

/// What the demuxer is fed of a channel's bytes: whole transport packets, whose video PES packets
/// end where they are whole. Not thread-safe.
class DemuxFeed {
 public:
  enum class Before : std::uint8_t { kWhole, kHole };

  /// The PID of the video, once it is known.
  void Watch(std::uint16_t pid);
  /// The bytes to come do not follow those before.
  void Restart();
  /// Appends the whole packets to `out`. kHole: something of the video is missing in front of or
  /// among them, or was given out too early: an access unit may be torn.
  Before Push(std::span<const std::byte> bytes, std::vector<std::uint8_t>& out);

 private:
  TsPacketReader reader_;
  TsContinuity continuity_;
  PesEnds ends_;
};

}  // namespace framelock::stream
