// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace framelock::stream {

/// The size at which H.264 pictures are coded: what a decoder makes room for, however little of it
/// the stream says is to be shown.
struct CodedSize {
  static constexpr int kMacroblock = 16;

  int width = 0, height = 0;
  int row = kMacroblock;  // what the height is a multiple of; twice that for fields

  /// The least that is shown of it if no more is cropped than what fills up the last macroblocks.
  [[nodiscard]] std::int64_t least_pixels() const {
    return std::int64_t{width - kMacroblock + 1} * (height - row + 1);
  }

  /// Of a sequence parameter set, the NAL unit's bytes behind its header; nullopt if it is damaged
  /// so far that it does not tell.
  static std::optional<CodedSize> Of(std::span<const std::uint8_t> parameters);
};

}  // namespace framelock::stream
