// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stream/h264_nal.h"

#include <algorithm>
#include <array>

#include "pipeline/stream/h264_bits.h"

namespace framelock::stream {

namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::array<std::uint8_t, H264Nal::kStartCodeBytes> kStartCode = {0, 0, 1};

enum NalType : std::uint8_t {
  kSlice = 1,
  kSlicePartA = 2,
  kIdrSlice = 5,
  kSei = 6,
  kSequence = 7,
  kDelimiter = 9,
  kPrefix = 14,
  kReserved18 = 18,
};

constexpr std::uint8_t kRecoveryPoint = 6;  // SEI payload type

// A number of an SEI message's head: 255 means that it goes on.
std::optional<std::uint32_t> SeiNumber(H264Bits& bits) {
  std::uint32_t sum = 0;
  while (true) {
    const auto byte = bits.Byte();
    if (!byte || sum > 0xFFFF) return std::nullopt;
    sum += *byte;
    if (*byte != 0xFF) return sum;
  }
}

// recovery_frame_cnt, if the SEI NAL unit's messages have one.
std::optional<std::uint32_t> RecoveryFrames(Bytes sei) {
  H264Bits bits(sei);
  while (true) {
    const auto type = SeiNumber(bits);
    const auto size = SeiNumber(bits);
    if (!type || !size) return std::nullopt;
    if (*type == kRecoveryPoint) return bits.Golomb();
    for (std::uint32_t i = 0; i < *size; ++i) {
      if (!bits.Byte()) return std::nullopt;
    }
  }
}

// slice_type is the second number of a slice's header; 2 and 7 are I, 4 and 9 are SI.
bool IsIntraSlice(Bytes slice) {
  H264Bits bits(slice);
  if (!bits.Golomb()) return false;
  const auto type = bits.Golomb();
  return type && (*type % 5 == 2 || *type % 5 == 4);
}

void NoteSize(Bytes parameters, H264Entry& entry) {
  const std::optional<CodedSize> size = CodedSize::Of(parameters);
  if (!size) {
    entry.damaged = true;
  } else if (!entry.size || size->least_pixels() > entry.size->least_pixels()) {
    entry.size = size;
  }
}

}  // namespace

std::optional<H264Nal> FindNal(Bytes bytes, std::size_t from) {
  const std::size_t lookahead = kStartCode.size() + 2;
  if (bytes.size() < lookahead || from > bytes.size() - lookahead) return std::nullopt;
  const auto end = bytes.end() - 2;
  const auto found = std::search(bytes.begin() + static_cast<std::ptrdiff_t>(from), end,
                                 kStartCode.begin(), kStartCode.end());
  if (found == end) return std::nullopt;
  const auto at = static_cast<std::size_t>(found - bytes.begin());
  H264Nal nal;
  nal.offset = at > 0 && bytes[at - 1] == 0 ? at - 1 : at;
  nal.header = at + kStartCode.size();
  nal.type = bytes[nal.header] & 0x1F;
  const bool first_part = nal.type == kSlice || nal.type == kSlicePartA || nal.type == kIdrSlice;
  nal.picture = nal.type >= kSlice && nal.type <= kIdrSlice;
  // first_mb_in_slice comes first in a slice; zero is a single 1 bit.
  nal.first_slice = first_part && (bytes[nal.header + 1] & 0x80) != 0;
  nal.may_begin = nal.first_slice || (nal.type >= kSei && nal.type <= kDelimiter) ||
                  (nal.type >= kPrefix && nal.type <= kReserved18);
  return nal;
}

H264Entry EntryOf(Bytes access_unit) {
  H264Entry entry;
  std::optional<std::uint32_t> recovery;
  bool first_slice = false, idr = false, all_intra = true;
  for (auto nal = FindNal(access_unit, 0), next = nal; nal; nal = next) {
    next = FindNal(access_unit, nal->header);
    const std::size_t end = next ? next->offset : access_unit.size();
    const Bytes body = access_unit.subspan(nal->header + 1, end - nal->header - 1);
    if (nal->type == kSei && !recovery) recovery = RecoveryFrames(body);
    if (nal->type == kSequence) NoteSize(body, entry);
    if (!nal->picture) continue;
    first_slice = first_slice || nal->first_slice;
    idr = idr || nal->type == kIdrSlice;
    if (nal->type <= kSlicePartA) all_intra = all_intra && IsIntraSlice(body);
  }
  if (!first_slice) return entry;  // its beginning is missing
  if (idr) {
    entry.kind = H264Entry::Kind::kIdr;
  } else if (recovery) {
    entry.kind = H264Entry::Kind::kRecovery;
    entry.recovery_frames = *recovery;
  } else if (all_intra) {
    entry.kind = H264Entry::Kind::kIntra;
  }
  return entry;
}

}  // namespace framelock::stream
