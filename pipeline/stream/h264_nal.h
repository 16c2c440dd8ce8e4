// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "pipeline/stream/coded_size.h"

namespace framelock::stream {

/// A NAL unit in an H.264 byte stream (Annex B), as far as its first two bytes tell.
struct H264Nal {
  static constexpr std::size_t kStartCodeBytes = 3;

  std::size_t offset = 0;  // of its start code, with the zero byte that may stand in front
  std::size_t header = 0;  // of its first byte
  int type = 0;
  bool picture = false;      // a slice, or a part of one
  bool first_slice = false;  // of a picture
  /// Begins an access unit if it comes behind a picture's slices (H.264, 7.4.1.2.3): a delimiter, a
  /// parameter set, an SEI message, a prefix, or a picture's first slice.
  bool may_begin = false;
};

/// The next NAL unit at or behind `from` whose two bytes are there.
std::optional<H264Nal> FindNal(std::span<const std::uint8_t> bytes, std::size_t from);

/// What a decoder may do with an access unit that it enters the stream at.
struct H264Entry {
  enum class Kind : std::uint8_t {
    kNone,      // refers to pictures before it
    kIntra,     // does not itself, but later ones may
    kRecovery,  // right from `recovery_frames` frames on, in output order (a recovery point)
    kIdr,       // right from here on, and so is all behind it
  };
  Kind kind = Kind::kNone;
  std::uint32_t recovery_frames = 0;
  std::optional<CodedSize> size = {};  // the largest of its parameter sets
  bool damaged = false;                // one of them does not tell its size
};
H264Entry EntryOf(std::span<const std::uint8_t> access_unit);

}  // namespace framelock::stream
