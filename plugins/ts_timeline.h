// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "pipeline/core/clock.h"
#include "pipeline/core/ts_packet.h"

namespace framelock::plugins {

/// Follows the programme clock (PCR) of a live transport stream and tells, after a hole, whether
/// the same timeline goes on: its clock must have advanced, and not much more than time itself.
/// tsdemux needs to know: told of a DISCONT it trusts the new PCR, which keeps the offset of all
/// timestamps over a gap, but takes a clock that went back for one that has wrapped, 26 hours
/// later. Not thread-safe.
class TsTimeline {
 public:
  struct Options {
    std::chrono::nanoseconds slack = std::chrono::seconds(30);  // for bursts and jitter
  };

  TsTimeline() : TsTimeline(Options{}) {}
  explicit TsTimeline(Options options) : options_(options) {}

  /// Bytes that follow those before.
  void Push(std::span<const std::byte> bytes, SteadyTime now);
  /// Bytes after a hole. True if they may continue the timeline, also when there is no PCR to tell.
  bool PushAfterHole(std::span<const std::byte> bytes, SteadyTime now);

 private:
  void OnPacket(const TsPacket& packet, SteadyTime now);

  Options options_;
  TsPacketReader reader_;
  std::optional<std::uint16_t> pid_;        // the first that carried a PCR
  std::optional<std::uint64_t> last_pcr_;   // 90 kHz, 33 bits
  std::optional<std::uint64_t> first_pcr_;  // since the last hole
  SteadyTime last_time_;
};

}  // namespace framelock::plugins
