// SPDX-License-Identifier: Apache-2.0
#include "workers/graph/pixels.h"

#include <algorithm>
#include <cstdint>

namespace framelock::graph {

namespace {

// Written so that not a number fails the first comparison, and both become min and max of vectors.
inline std::uint8_t ToByte(float value) {
  const float scaled = value * 255.0F;
  const float low = scaled > 0.0F ? scaled : 0.0F;
  const float clamped = low < 255.0F ? low : 255.0F;
  return static_cast<std::uint8_t>(static_cast<std::int32_t>(clamped));
}

}  // namespace

void BytesToFloats(std::span<const std::byte> bytes, std::span<float> floats) {
  const std::size_t count = std::min(bytes.size(), floats.size());
  const auto* in = reinterpret_cast<const std::uint8_t*>(bytes.data());
  float* out = floats.data();
  for (std::size_t i = 0; i < count; ++i) {
    out[i] = static_cast<float>(in[i]) / 255.0F;
  }
}

void FloatsToBytes(std::span<const float> floats, std::span<std::byte> bytes) {
  const std::size_t count = std::min(bytes.size(), floats.size());
  const float* in = floats.data();
  auto* out = reinterpret_cast<std::uint8_t*>(bytes.data());
  for (std::size_t i = 0; i < count; ++i) {
    out[i] = ToByte(in[i]);
  }
}

void RgbaBytesToRgbFloats(std::span<const std::byte> bytes, std::span<float> floats) {
  const std::size_t pixels = std::min(bytes.size() / 4, floats.size() / 3);
  for (std::size_t i = 0; i < pixels; ++i) {
    BytesToFloats(bytes.subspan(i * 4, 3), floats.subspan(i * 3, 3));
  }
}

void CopyPixels(std::span<const std::byte> in, std::span<std::byte> out, RowChannels channels) {
  const std::size_t pixels = std::min(in.size() / channels.from, out.size() / channels.to);
  if (channels.from == 3 && channels.to == 3) {
    std::copy_n(in.begin(), pixels * 3, out.begin());
    return;
  }
  for (std::size_t i = 0; i < pixels; ++i) {
    std::copy_n(&in[i * channels.from], 3, &out[i * channels.to]);
    if (channels.to == 4) out[i * 4 + 3] = std::byte{255};
  }
}

void FloatsToBytes(std::span<const float> floats, std::span<std::byte> bytes,
                   RowChannels channels) {
  const std::size_t pixels = std::min(floats.size() / channels.from, bytes.size() / channels.to);
  const std::size_t colours = channels.from < 3 ? 1 : 3;
  for (std::size_t i = 0; i < pixels; ++i) {
    const float* in = &floats[i * channels.from];
    std::byte* out = &bytes[i * channels.to];
    for (std::size_t c = 0; c < 3; ++c) {
      out[c] = std::byte{ToByte(in[colours == 1 ? 0 : c])};
    }
    if (channels.to == 4) {
      out[3] = channels.from == 4 ? std::byte{ToByte(in[3])} : std::byte{255};
    }
  }
}

}  // namespace framelock::graph
