// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>

#include "workers/protocol/frame_format.h"
#include "workers/protocol/message_type.h"

namespace framelock::protocol {

// What workers say.

struct Welcome {
  MessageType type = MessageType::kWelcome;
  std::uint32_t version = kVersion;
  std::int32_t pid = 0;
  std::uint32_t greeting = 0;  // the Hello's
  std::uint64_t revision = 0;  // of the prompt that is applied; 0: none yet
};

struct PromptApplied {
  MessageType type = MessageType::kPromptApplied;
  std::uint32_t audio_ms = 0;  // how much audio the prompt takes at once; 0: none
  std::uint64_t revision = 0;
  std::uint32_t output_width = 0;  // of the attached input format; 0 while nothing is attached
  std::uint32_t output_height = 0;
};

struct PromptRejected {  // carries 1 fd: sealed memfd, JSON {"error":…,"node_errors":{…}}
  MessageType type = MessageType::kPromptRejected;
  std::uint32_t reserved = 0;
  std::uint64_t revision = 0;
  std::uint64_t text_bytes = 0;
};

/// Answer to Attach. output_width == 0: the region or format was refused, the old one is gone too.
struct Attached {
  MessageType type = MessageType::kAttached;
  std::uint32_t audio_ms = 0;  // as PromptApplied's
  std::uint64_t generation = 0;
  std::uint32_t output_width = 0;  // what the current prompt makes of this input
  std::uint32_t output_height = 0;
};

using ErrorText = std::array<char, 200>;  // UTF-8, zero-terminated, cut to fit

/// Output rows are packed: stride = RowBytes(format, output_width).
struct Completed {
  MessageType type = MessageType::kCompleted;
  FrameOutcome outcome = FrameOutcome::kCompleted;
  std::uint64_t sequence = 0;
  std::uint64_t generation = 0;
  std::uint64_t revision = 0;  // of the prompt that made it
  std::uint64_t service_ns = 0;
  std::uint32_t output_slot = 0;
  std::uint32_t output_width = 0;
  std::uint32_t output_height = 0;
  std::uint32_t reserved = 0;
  ErrorText error{};  // empty unless kFailed
};

struct FrameText {  // before its Completed; carries 1 fd: the text, none above kMaxFrameTextBytes
  MessageType type = MessageType::kFrameText;
  std::uint32_t of_sound = 0;  // 1: said of sound, so it outlives the frame that brings it
  std::uint64_t sequence = 0;
  std::uint64_t text_bytes = 0;
};

/// Answer to SubmitAudio. Carries 1 fd, as SubmitAudio's and as long, if `samples` is not 0; the
/// prompt gives none if it is 0 and the outcome is kCompleted.
struct AudioCompleted {
  MessageType type = MessageType::kAudioCompleted;
  FrameOutcome outcome = FrameOutcome::kCompleted;  // or kFailed
  std::uint64_t sequence = 0;
  std::uint64_t revision = 0;  // of the prompt that made it
  std::uint64_t service_ns = 0;
  std::uint32_t samples = 0;
  std::uint32_t reserved = 0;
  ErrorText error{};  // empty unless kFailed
};

/// Answer to AddHost. hosts == 0: refused, and its socket is closed.
struct HostAdded {
  MessageType type = MessageType::kHostAdded;
  std::uint32_t hosts = 0;  // that the worker serves now
};

}  // namespace framelock::protocol
