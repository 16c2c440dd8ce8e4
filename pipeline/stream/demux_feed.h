// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "pipeline/core/clock.h"
#include "pipeline/core/ts_packet.h"
#include "pipeline/stream/pes_ends.h"
#include "pipeline/stream/ts_clock.h"
#include "pipeline/stream/ts_continuity.h"

namespace framelock::stream {

/// What the demuxer is fed of a channel's bytes: whole transport packets, on one clock, whose video
/// PES packets end where they are whole. Not thread-safe.
class DemuxFeed {
 public:
  /// The PID of the video, once it is known.
  void Watch(std::uint16_t pid, PesEnds::Marks marks);
  /// The bytes to come do not follow those before.
  void Restart();
  /// Appends the whole packets to `out`. The answer: where in `out`, in order, something of the
  /// video is missing, or was given out too early; an access unit may be torn there.
  std::vector<std::size_t> Push(std::span<const std::byte> bytes, SteadyTime now,
                                std::vector<std::uint8_t>& out);

  /// Of the input's clock, counted from 1.
  [[nodiscard]] std::uint64_t epochs() const { return clock_.epochs(); }

 private:
  enum class Before : std::uint8_t { kWhole, kHole };
  Before OnPacket(TsPacket packet, SteadyTime now, std::vector<std::uint8_t>& out);
  void LogEpoch(SteadyTime now);

  TsPacketReader reader_;
  TsContinuity continuity_;
  TsClock clock_;
  bool hole_before_ = false;      // the next packet
  std::vector<TsPacket> clocks_;  // that go in front of the packet in hand
  std::optional<SteadyTime> epoch_logged_;
  PesEnds ends_;
};

}  // namespace framelock::stream
