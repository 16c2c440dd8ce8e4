// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "workers/protocol/frame_format.h"
#include "workers/protocol/message_type.h"

namespace framelock::protocol {

// What hosts say.

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

struct SubmitAudio {  // carries 1 fd: sealed memfd with `samples` mono int16, in host order
  MessageType type = MessageType::kSubmitAudio;
  std::uint32_t sample_rate = 0;
  std::uint64_t sequence = 0;  // strictly increasing, of the audio's own
  std::uint32_t samples = 0;
  std::uint32_t reserved = 0;
};

}  // namespace framelock::protocol
