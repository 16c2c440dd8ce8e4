// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace framelock::protocol {

/// The worker boundary's wire format: one fixed-size struct per SOCK_SEQPACKET message, little
/// endian, first field the type. Both ends check size, type and every number that they use.
/// The byte table and the sequence diagram are in workers/PROTOCOL.md.
inline constexpr std::uint32_t kVersion = 1;

enum class MessageType : std::uint32_t {
  kHello = 1,
  kSetPrompt = 2,
  kAttach = 3,
  kSubmit = 4,
  kStop = 5,
  kAddHost = 6,
  kConfigure = 7,
  kSubmitAudio = 8,
  kWelcome = 65,
  kPromptApplied = 66,
  kPromptRejected = 67,
  kAttached = 68,
  kCompleted = 69,
  kHostAdded = 70,
  kFrameText = 71,
  kAudioCompleted = 72,
};

}  // namespace framelock::protocol
