// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stream/access_unit_cutter.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "pipeline/stream/h264_nal.h"

namespace framelock::stream {

namespace {

using Bytes = std::span<const std::uint8_t>;

struct Shape {
  std::optional<std::size_t> start;  // of the first access unit that begins here
  bool one_unit = false;             // begins with one that has a picture, and no second one
};

Shape ShapeOf(Bytes pes) {
  Shape shape;
  bool picture = false;
  int units = 0;
  for (auto nal = FindNal(pes, 0); nal; nal = FindNal(pes, nal->header)) {
    if (nal->may_begin && (picture || units == 0)) {
      if (units == 0) shape.start = nal->offset;
      ++units;
      picture = false;
    }
    picture = picture || nal->picture;
  }
  shape.one_unit = shape.start == 0U && units == 1 && picture;
  return shape;
}

}  // namespace

AccessUnitCutter::Cut AccessUnitCutter::Push(Bytes pes, Times times) {
  const Shape shape = ShapeOf(pes);
  if (lost_) {
    // The rest of a unit whose beginning is missing is of no use.
    if (!shape.start) return {};
    lost_ = false;
    pes = pes.subspan(*shape.start);
  }
  const bool begins = shape.start == 0U;
  const bool goes_on = !begins && std::exchange(may_go_on_, false);
  const bool torn = !begins && std::exchange(called_whole_, false);
  if (begins) proven_bytes_ = std::max(proven_bytes_, std::exchange(last_bytes_, 0));
  may_go_on_ = pes.size() >= kNearlyFull && pes.size() <= kFull;
  broken_ = broken_ || (!shape.one_unit && !goes_on);
  Cut cut;
  if (shape.one_unit && !broken_) {
    cut.units = Finish();
    last_bytes_ = pes.size();
    const bool believed = trusted() && !may_go_on_ && Usual(pes.size());
    proofs_ = std::min(proofs_ + 1, kProofs);
    if (believed) {
      called_whole_ = true;
      cut.pes = Pes::kUnit;
      return cut;
    }
  }
  called_whole_ = false;
  Gather(pes, times, cut.units);
  if (torn) cut.pes = Pes::kTorn;
  return cut;
}

void AccessUnitCutter::Gather(Bytes pes, Times times, std::vector<Unit>& whole) {
  if (open_.bytes.empty()) open_.times = std::exchange(times, Times());
  open_.bytes.insert(open_.bytes.end(), pes.begin(), pes.end());
  const Bytes bytes = open_.bytes;
  std::size_t begin = 0;
  for (auto nal = FindNal(bytes, scanned_); nal; nal = FindNal(bytes, scanned_)) {
    if (nal->may_begin && picture_ && nal->offset > begin && whole.size() < kMaxUnits) {
      const Bytes unit = bytes.subspan(begin, nal->offset - begin);
      whole.push_back({{unit.begin(), unit.end()}, open_.times});
      open_.times = std::exchange(times, Times());
      begin = nal->offset;
      picture_ = false;
    }
    picture_ = picture_ || nal->picture;
    scanned_ = nal->header;
  }
  const Bytes rest = bytes.subspan(begin);
  // What is too short to be judged is looked at again.
  scanned_ = std::max(scanned_ - std::min(scanned_, begin),
                      rest.size() - std::min(rest.size(), H264Nal::kStartCodeBytes + 2));
  if (begin > 0) open_.bytes = std::vector<std::uint8_t>(rest.begin(), rest.end());
  if (open_.bytes.size() >= kMaxBytes) Release(whole);
}

void AccessUnitCutter::Release(std::vector<Unit>& whole) {
  whole.push_back(std::exchange(open_, Unit()));
  scanned_ = 0;
  picture_ = false;
}

std::vector<AccessUnitCutter::Unit> AccessUnitCutter::Next() {
  std::vector<Unit> whole;
  if (picture_) Release(whole);
  return whole;
}

std::vector<AccessUnitCutter::Unit> AccessUnitCutter::Finish() {
  std::vector<Unit> whole;
  if (!open_.bytes.empty()) Release(whole);
  return whole;
}

void AccessUnitCutter::Clear() {
  const bool broken = broken_;
  *this = AccessUnitCutter();
  broken_ = broken;
}

std::vector<AccessUnitCutter::Unit> AccessUnitCutter::Seam() {
  constexpr int kSome = 2;  // what is kept counts itself
  const bool one = !broken_ && !may_go_on_ && (kept_ || proofs_ >= kSome) && Usual(last_bytes_);
  std::vector<Unit> whole = Finish();
  if (!one) whole.clear();
  SeamTrust seams = seams_;
  const bool keep = seams.Keep(proofs_ >= kProofs && !broken_) && trusted();
  const std::size_t proven = proven_bytes_;
  Clear();
  seams_ = seams;
  kept_ = keep;
  if (keep) proven_bytes_ = proven;
  return whole;
}

}  // namespace framelock::stream
