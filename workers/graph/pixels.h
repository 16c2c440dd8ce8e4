// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>

namespace framelock::graph {

// Where frames change between bytes and floats: in by byte / 255 in float32, out by value * 255 in
// float32, clamped to 0..255 and truncated (never rounded; not a number becomes 0). Byte, float,
// byte is the identity.

/// One packed row or frame; spans of the same size.
void BytesToFloats(std::span<const std::byte> bytes, std::span<float> floats);
void FloatsToBytes(std::span<const float> floats, std::span<std::byte> bytes);

/// How the pixels of one row change their number of channels on the way out.
struct RowChannels {
  std::size_t from = 3;  // 1: grey is repeated; 4: alpha is kept or dropped
  std::size_t to = 3;    // 3, or 4: alpha 255 unless there is one
};

/// One row of the first three of four channels, as floats.
void RgbaBytesToRgbFloats(std::span<const std::byte> bytes, std::span<float> floats);
/// One row that stays bytes: colours as they are, a fourth channel 255.
void CopyPixels(std::span<const std::byte> in, std::span<std::byte> out, RowChannels channels);
/// One row of pixels whose channels differ from the frame's.
void FloatsToBytes(std::span<const float> floats, std::span<std::byte> bytes, RowChannels channels);

}  // namespace framelock::graph
