// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stream/access_unit_cutter.h"

#include <algorithm>
#include <array>
#include <utility>

namespace framelock::stream {

namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::array<std::uint8_t, 3> kStartCode = {0, 0, 1};
// Start code, NAL header, and the byte behind it, in which a slice says whether it is the first.
constexpr std::size_t kLookahead = kStartCode.size() + 2;

enum NalType : std::uint8_t {
  kSlice = 1,
  kSlicePartA = 2,
  kSlicePartC = 4,
  kIdrSlice = 5,
  kSei = 6,
  kDelimiter = 9,
  kPrefix = 14,
  kReserved18 = 18,
};

struct Nal {
  std::size_t offset;  // of its start code
  bool picture;        // a slice, or a part of one
  bool may_begin;      // an access unit, if it comes behind a picture's slices
};

Nal Describe(Bytes bytes, std::size_t offset) {
  const int type = bytes[offset + kStartCode.size()] & 0x1F;
  const bool first_part = type == kSlice || type == kSlicePartA || type == kIdrSlice;
  // first_mb_in_slice comes first in a slice; zero is a single 1 bit.
  const bool first_slice = first_part && (bytes[offset + kStartCode.size() + 1] & 0x80) != 0;
  const bool other =
      (type >= kSei && type <= kDelimiter) || (type >= kPrefix && type <= kReserved18);
  // A zero byte in front of the start code belongs to it.
  const bool long_code = offset > 0 && bytes[offset - 1] == 0;
  return {.offset = offset - (long_code ? 1 : 0),
          .picture = first_part || (type > kSlicePartA && type <= kSlicePartC),
          .may_begin = first_slice || other};
}

// Where the next start code is whose NAL unit can be judged; the end if there is none.
std::size_t FindNal(Bytes bytes, std::size_t from) {
  if (bytes.size() < from + kLookahead) return bytes.size();
  const auto end = bytes.end() - 2;
  const auto found = std::search(bytes.begin() + static_cast<std::ptrdiff_t>(from), end,
                                 kStartCode.begin(), kStartCode.end());
  return found == end ? bytes.size() : static_cast<std::size_t>(found - bytes.begin());
}

struct Shape {
  bool begins_unit = false;
  bool one_unit = false;  // begins one, with a picture, and no second one
};

Shape ShapeOf(Bytes pes) {
  Shape shape;
  bool picture = false;
  int units = 0;
  for (std::size_t at = FindNal(pes, 0); at < pes.size(); at = FindNal(pes, at + 3)) {
    const Nal nal = Describe(pes, at);
    if (nal.may_begin && (picture || nal.offset == 0)) {
      if (nal.offset == 0) shape.begins_unit = true;
      ++units;
      picture = false;
    }
    picture = picture || nal.picture;
  }
  shape.one_unit = shape.begins_unit && units == 1 && picture;
  return shape;
}

}  // namespace

AccessUnitCutter::Cut AccessUnitCutter::Push(Bytes pes, Times times) {
  const Shape shape = ShapeOf(pes);
  const bool goes_on = !shape.begins_unit && std::exchange(may_go_on_, false);
  const bool torn = !shape.begins_unit && std::exchange(called_whole_, false);
  may_go_on_ = pes.size() >= kNearlyFull && pes.size() <= kFull;
  broken_ = broken_ || (!shape.one_unit && !goes_on);
  Cut cut;
  if (shape.one_unit && !broken_) {
    cut.units = Finish();
    if (trusted() && !may_go_on_) {
      called_whole_ = true;
      cut.pes = Pes::kUnit;
      return cut;
    }
    ++proofs_;
  }
  called_whole_ = false;
  Gather(pes, times, cut.units);
  if (torn) cut.pes = Pes::kTorn;
  return cut;
}

void AccessUnitCutter::Gather(Bytes pes, Times times, std::vector<Unit>& whole) {
  if (open_.bytes.empty()) open_.times = std::exchange(times, Times());
  open_.bytes.insert(open_.bytes.end(), pes.begin(), pes.end());
  while (true) {
    const std::size_t at = FindNal(open_.bytes, scanned_);
    if (at >= open_.bytes.size()) break;
    const Nal nal = Describe(open_.bytes, at);
    scanned_ = at + kStartCode.size();
    if (nal.may_begin && picture_ && nal.offset > 0) {
      Release(nal.offset, whole);
      open_.times = std::exchange(times, Times());
    }
    picture_ = picture_ || nal.picture;
  }
  // What is too short to be judged is looked at again.
  scanned_ = std::max(scanned_, open_.bytes.size() - std::min(open_.bytes.size(), kLookahead));
  if (open_.bytes.size() >= kMaxBytes) Release(open_.bytes.size(), whole);
}

// The first `size` bytes are whole.
void AccessUnitCutter::Release(std::size_t size, std::vector<Unit>& whole) {
  const auto end = open_.bytes.begin() + static_cast<std::ptrdiff_t>(size);
  Unit rest{.bytes = {end, open_.bytes.end()}, .times = {}};
  open_.bytes.erase(end, open_.bytes.end());
  whole.push_back(std::exchange(open_, std::move(rest)));
  scanned_ -= std::min(scanned_, size);
  picture_ = false;
}

std::vector<AccessUnitCutter::Unit> AccessUnitCutter::Finish() {
  std::vector<Unit> whole;
  if (!open_.bytes.empty()) Release(open_.bytes.size(), whole);
  return whole;
}

void AccessUnitCutter::Clear() {
  open_ = Unit();
  picture_ = false;
  scanned_ = 0;
  called_whole_ = false;
  may_go_on_ = false;
}

}  // namespace framelock::stream
