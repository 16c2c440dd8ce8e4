// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stream/coded_size.h"

#include <algorithm>
#include <array>

#include "pipeline/stream/h264_bits.h"

namespace framelock::stream {

namespace {

// Those whose parameter sets say something about chroma (H.264, 7.3.2.1.1), and a withdrawn one
// that decoders still know.
constexpr std::array<std::uint32_t, 10> kHighProfiles = {100, 110, 122, 244, 44,
                                                         83,  86,  118, 128, 144};
constexpr std::uint32_t kSeparateChroma = 3;  // chroma_format_idc of 4:4:4
constexpr int kSmallLists = 6;                // of the scaling lists; 4 x 4
constexpr std::uint32_t kMostOffsets = 255;
constexpr std::uint32_t kMostMacroblocks = 1u << 20;  // a side; more is not told apart

bool SkipBits(H264Bits& bits, int count) {
  for (; count > 0; --count) {
    if (!bits.Bit()) return false;
  }
  return true;
}

bool SkipNumbers(H264Bits& bits, std::uint32_t count) {
  for (; count > 0; --count) {
    if (!bits.Golomb()) return false;
  }
  return true;
}

bool SkipScalingList(H264Bits& bits, int size) {
  std::int64_t last = 8;
  for (int i = 0; i < size; ++i) {
    const auto delta = bits.SignedGolomb();
    if (!delta) return false;
    const std::int64_t next = (last + *delta) & 0xFF;
    if (next == 0) return true;  // the rest is like the last
    last = next;
  }
  return true;
}

bool SkipScalingLists(H264Bits& bits, int count) {
  for (int i = 0; i < count; ++i) {
    const auto present = bits.Bit();
    if (!present) return false;
    if (*present == 1 && !SkipScalingList(bits, i < kSmallLists ? 16 : 64)) return false;
  }
  return true;
}

bool SkipChroma(H264Bits& bits) {
  const auto format = bits.Golomb();
  if (!format) return false;
  const bool separate = *format == kSeparateChroma;
  // separate_colour_plane_flag, two bit depths, qpprime_y_zero_transform_bypass_flag
  if ((separate && !bits.Bit()) || !SkipNumbers(bits, 2) || !bits.Bit()) return false;
  const auto lists = bits.Bit();
  return lists && (*lists == 0 || SkipScalingLists(bits, separate ? 12 : 8));
}

bool SkipPictureOrder(H264Bits& bits) {
  const auto type = bits.Golomb();
  if (!type || *type > 2) return false;
  if (*type == 0) return SkipNumbers(bits, 1);
  if (*type == 2) return true;
  if (!bits.Bit() || !SkipNumbers(bits, 2)) return false;
  const auto offsets = bits.Golomb();
  return offsets && *offsets <= kMostOffsets && SkipNumbers(bits, *offsets);
}

int Macroblocks(std::uint32_t less_one) {
  return static_cast<int>(std::min(less_one, kMostMacroblocks - 1)) + 1;
}

}  // namespace

std::optional<CodedSize> CodedSize::Of(std::span<const std::uint8_t> parameters) {
  H264Bits bits(parameters);
  const auto profile = bits.Byte();
  if (!profile || !SkipBits(bits, 16) || !SkipNumbers(bits, 1)) return std::nullopt;
  const bool high = std::ranges::find(kHighProfiles, *profile) != kHighProfiles.end();
  if (high && !SkipChroma(bits)) return std::nullopt;
  // log2_max_frame_num; behind the picture order max_num_ref_frames, gaps_in_frame_num
  if (!SkipNumbers(bits, 1) || !SkipPictureOrder(bits)) return std::nullopt;
  if (!SkipNumbers(bits, 1) || !bits.Bit()) return std::nullopt;
  const auto columns = bits.Golomb();
  const auto rows = bits.Golomb();
  const auto frames_only = bits.Bit();
  if (!columns || !rows || !frames_only) return std::nullopt;
  CodedSize size;
  size.row = *frames_only == 1 ? kMacroblock : 2 * kMacroblock;
  size.width = Macroblocks(*columns) * kMacroblock;
  size.height = Macroblocks(*rows) * size.row;
  return size;
}

}  // namespace framelock::stream
