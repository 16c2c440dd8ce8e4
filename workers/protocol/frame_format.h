// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace framelock::protocol {

/// Bounds that both ends enforce.
inline constexpr std::uint32_t kMaxDimension = 16384;          // pixels, one side, as in ComfyUI
inline constexpr std::uint32_t kMaxSlots = 32;                 // per direction and region
inline constexpr std::uint64_t kMaxRegionBytes = 2ULL << 30;   // one region
inline constexpr std::uint64_t kMaxTextBytes = 16ULL << 20;    // one prompt or error document
inline constexpr std::uint64_t kMaxFrameTextBytes = 64 << 10;  // one text of a frame
inline constexpr std::uint32_t kMaxFrameTexts = 64;            // of one frame
inline constexpr std::uint32_t kMinAudioMs = 10, kMaxAudioMs = 10'000;  // one piece of audio
inline constexpr std::uint32_t kMinSampleRate = 8'000, kMaxSampleRate = 192'000;
inline constexpr std::uint32_t kMaxAudioSamples = kMaxSampleRate / 1000 * kMaxAudioMs;

enum class FrameOutcome : std::uint32_t {
  kCompleted = 1,       // the output slot holds the result
  kFailed = 2,          // a node failed; Completed::error holds its text
  kOutputTooLarge = 3,  // output_width x output_height needs a larger slot
};

enum class PixelFormat : std::uint32_t {
  kRgb8 = 1,   // 3 bytes a pixel, R G B
  kRgba8 = 2,  // 4 bytes a pixel, R G B A
};

constexpr std::uint32_t BytesPerPixel(PixelFormat format) {
  return format == PixelFormat::kRgba8 ? 4 : 3;
}

/// Bytes of one packed row. GStreamer's rule, so that a slot is a plain video frame: rounded up
/// to 4.
constexpr std::uint32_t RowBytes(PixelFormat format, std::uint32_t width) {
  return (width * BytesPerPixel(format) + 3) / 4 * 4;
}

/// Bytes of one packed frame; 64 bits, so that no pair of dimensions within kMaxDimension
/// overflows.
constexpr std::uint64_t FrameBytes(PixelFormat format, std::uint32_t width, std::uint32_t height) {
  return std::uint64_t{RowBytes(format, width)} * height;
}

/// A slot that holds `bytes`, in whole pages.
constexpr std::uint64_t SlotBytes(std::uint64_t bytes) { return (bytes + 4095) / 4096 * 4096; }

/// Shared page that the host makes and both map: the worker adds 1 to heartbeat every
/// kHeartbeatPeriodMs from a thread of its own. Mapped memory is never trusted: the host only asks
/// whether the number changed, and neither sends what the other's abilities do not name.
struct ControlPage {
  std::uint64_t heartbeat = 0;
  std::uint64_t abilities = 0;       // written by the worker before it says Welcome
  std::uint64_t host_abilities = 0;  // written by the host before it says Hello
  std::uint64_t reserved[5] = {};
};
inline constexpr std::uint64_t kTakesConfigure = 1;  // a bit of abilities
inline constexpr std::uint64_t kTakesFrameText = 1;  // a bit of host_abilities
static_assert(sizeof(ControlPage) == 64);
inline constexpr std::uint64_t kControlPageBytes = 4096;
inline constexpr std::uint32_t kHeartbeatPeriodMs = 100;

}  // namespace framelock::protocol
