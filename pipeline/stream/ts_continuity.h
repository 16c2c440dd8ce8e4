// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "pipeline/core/ts_packet.h"

namespace framelock::stream {

/// Watches the continuity counter of one PID in a transport stream that comes in pieces of any
/// size, and says when packets are missing: the demuxer drops the access unit that they belonged
/// to without telling anyone. Not thread-safe.
class TsContinuity {
 public:
  /// The PID to watch; nothing is watched before.
  void Watch(std::uint16_t pid);
  /// The bytes to come do not follow those before; that is known already.
  void Restart();
  /// True if these bytes show a hole.
  bool Push(std::span<const std::uint8_t> bytes);

 private:
  bool OnPacket(const TsPacket& packet);

  std::optional<std::uint16_t> pid_;
  std::optional<int> counter_;  // of the last packet with a payload
  TsPacketReader reader_;
};

}  // namespace framelock::stream
