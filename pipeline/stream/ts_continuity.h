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
  enum class Packet : std::uint8_t {
    kNext,      // or of no interest
    kRepeated,  // the one before once more, which ISO/IEC 13818-1, 2.4.3.3, allows
    kHole,      // packets are missing in front of it, whether the sender says so or not
  };

  /// The PID to watch; nothing is watched before.
  void Watch(std::uint16_t pid);
  /// The packets to come do not follow those before; that is known already.
  void Restart() { last_.reset(); }
  Packet Push(const TsPacket& packet);

 private:
  std::optional<std::uint16_t> pid_;
  std::optional<TsPacket> last_;  // with a payload
};

}  // namespace framelock::stream
