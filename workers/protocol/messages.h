// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "workers/protocol/frame_format.h"

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
  kWelcome = 65,
  kPromptApplied = 66,
  kPromptRejected = 67,
  kAttached = 68,
  kCompleted = 69,
  kHostAdded = 70,
  kFrameText = 71,
};

struct Hello {  // carries 1 fd: the control page
  MessageType type = MessageType::kHello;
  std::uint32_t version = kVersion;
  std::uint32_t greeting = 0;  // any number; Welcome repeats it: it is not for an earlier host
  std::uint32_t reserved = 0;
};

struct SetPrompt {  // carries 1 fd: sealed memfd with text_bytes of JSON
  MessageType type = MessageType::kSetPrompt;
  std::uint32_t reserved = 0;
  std::uint64_t revision = 0;  // chosen by the host, strictly increasing
  std::uint64_t text_bytes = 0;
};

struct Attach {  // carries 1 fd: the region, laid out as RegionLayout says
  MessageType type = MessageType::kAttach;
  PixelFormat format = PixelFormat::kRgb8;  // of input and output slots
  std::uint64_t generation = 0;             // chosen by the host, strictly increasing
  std::uint64_t region_bytes = 0;
  std::uint64_t input_slot_bytes = 0;   // multiple of 4096
  std::uint64_t output_slot_bytes = 0;  // multiple of 4096
  std::uint32_t input_slots = 0;
  std::uint32_t output_slots = 0;
  std::uint32_t width = 0;  // input pixels
  std::uint32_t height = 0;
  std::uint32_t stride = 0;  // input bytes per row
  std::uint32_t reserved = 0;
};

struct Submit {
  MessageType type = MessageType::kSubmit;
  std::uint32_t reserved = 0;
  std::uint64_t sequence = 0;
  std::uint64_t generation = 0;
  std::uint32_t input_slot = 0;
  std::uint32_t output_slot = 0;
};

struct Stop {
  MessageType type = MessageType::kStop;
  std::uint32_t reserved = 0;
};

struct AddHost {  // carries 1 fd: the worker's end of the further host's socket
  MessageType type = MessageType::kAddHost;
  std::uint32_t reserved = 0;
};

struct Configure {  // carries 1 fd: sealed memfd with text_bytes of JSON; it has no answer
  MessageType type = MessageType::kConfigure;
  std::uint32_t reserved = 0;
  std::uint64_t text_bytes = 0;
};

struct Welcome {
  MessageType type = MessageType::kWelcome;
  std::uint32_t version = kVersion;
  std::int32_t pid = 0;
  std::uint32_t greeting = 0;  // the Hello's
  std::uint64_t revision = 0;  // of the prompt that is applied; 0: none yet
};

struct PromptApplied {
  MessageType type = MessageType::kPromptApplied;
  std::uint32_t reserved = 0;
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
  std::uint32_t reserved = 0;
  std::uint64_t generation = 0;
  std::uint32_t output_width = 0;  // what the current prompt makes of this input
  std::uint32_t output_height = 0;
};

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
  std::array<char, 200> error{};  // UTF-8, zero-terminated, cut to fit; empty unless kFailed
};

struct FrameText {  // before its Completed; carries 1 fd: the text, none above kMaxFrameTextBytes
  MessageType type = MessageType::kFrameText;
  std::uint32_t reserved = 0;
  std::uint64_t sequence = 0;
  std::uint64_t text_bytes = 0;
};

/// Answer to AddHost. hosts == 0: refused, and its socket is closed.
struct HostAdded {
  MessageType type = MessageType::kHostAdded;
  std::uint32_t hosts = 0;  // that the worker serves now
};

static_assert(sizeof(Hello) == 16 && sizeof(Stop) == 8);
static_assert(sizeof(AddHost) == 8 && sizeof(HostAdded) == 8);
static_assert(sizeof(Configure) == 16);
static_assert(sizeof(SetPrompt) == 24 && sizeof(Attach) == 64 && sizeof(Submit) == 32);
static_assert(sizeof(Welcome) == 24 && sizeof(PromptApplied) == 24);
static_assert(sizeof(PromptRejected) == 24 && sizeof(Attached) == 24);
static_assert(sizeof(Completed) == 256 && sizeof(FrameText) == 24);
static_assert(std::is_trivially_copyable_v<Completed> && std::is_trivially_copyable_v<Attach>);

}  // namespace framelock::protocol
