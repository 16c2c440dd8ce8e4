// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "pipeline/core/ts_packet.h"

namespace framelock::stream {

/// Watches the continuity counter of one PID in a transport stream and says when packets are
/// missing: the demuxer drops the access unit that they belonged to without telling anyone. Not
/// thread-safe.
class TsContinuity {
 public:
  /// The PID to watch; nothing is watched before.
  void Watch(std::uint16_t pid);
  /// The packets to come do not follow those before; that is known already.
  void Restart() { counter_.reset(); }
  /// True if packets are missing in front of this one.
  bool Push(const TsPacket& packet);

 private:
  std::optional<std::uint16_t> pid_;
  std::optional<int> counter_;  // of the last packet with a payload
};

}  // namespace framelock::stream
