// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stream/ts_line.h"

#include <algorithm>

namespace framelock::stream {

namespace {

constexpr TsTicks kNoTicks{0};
constexpr TsTicks kUnknownStep{3000};  // as of 30 frames a second
constexpr TsTicks kSlowestRhythm = std::chrono::seconds(10);
constexpr int kMostDamaged = 2;  // stamps in a row
constexpr TsTicks kMostUnsettled = std::chrono::seconds(1);

}  // namespace

TsLine::TsLine(const Rules& rules, TsStamp stamp, SteadyTime now)
    : rules_(rules), last_(static_cast<std::int64_t>(stamp.ticks())), stamp_(stamp), seen_(now) {
  edge_.Note(last_, now);
}

TsLine TsLine::Behind(const TsLine& other) {
  TsLine track = other;
  track.usual_ = track.rhythm_ = kNoTicks;
  track.before_.reset();
  return track;
}

TsLine TsLine::Beside(const TsLine& other, TsStamp stamp, SteadyTime now) {
  TsLine track = Behind(other);
  track.last_ += other.StepTo(stamp, other.offset_);
  track.stamp_ = stamp;
  track.seen_ = now;
  track.hole_ = false;
  return track;
}

TsTicks TsLine::Passed(SteadyTime now) const {
  return std::chrono::duration_cast<TsTicks>(now - seen_);
}

// That needs no time to pass.
TsTicks TsLine::LongestStep() const {
  if (usual_ == kNoTicks) return rules_.first_step;
  return std::max(rules_.least_jump, std::min(usual_ * rules_.jump_factor, rules_.longest_step));
}

// The same step twice is how the stream goes now, whatever it was before.
bool TsLine::KeepsRhythm(TsStamp stamp) const {
  const TsTicks step = stamp - stamp_;
  return step > kNoTicks && step <= kSlowestRhythm && rhythm_ > kNoTicks &&
         std::chrono::abs(step - rhythm_) <= rhythm_ / 4;
}

bool TsLine::Fits(TsStamp stamp, TsTicks offset, Order order, SteadyTime now) const {
  const TsTicks step = StepTo(stamp, offset);
  if (step < (order == Order::kStrict ? kNoTicks : -rules_.least_jump)) return false;
  // Less than the least jump, for what is as long is one.
  const TsTicks by_time = hole_ ? Passed(now) + rules_.hole_slack
                                : edge_.At(now) - last_ + rules_.least_jump - TsTicks(1);
  const TsTicks limit = std::max(LongestStep(), by_time);
  if (step <= std::min(limit, rules_.longest_gap)) return true;
  return offset == offset_ && step <= kSlowestRhythm && KeepsRhythm(stamp);
}

TsTicks TsLine::OffsetToGoOn(TsStamp stamp, SteadyTime now) const {
  const TsTicks usual = usual_ > kNoTicks ? usual_ : kUnknownStep;
  const TsTicks passed = std::min(Passed(now), rules_.longest_gap);
  const bool paused = passed > (usual_ > kNoTicks ? LongestStep() : rules_.least_jump);
  return offset_ + (paused ? passed : usual) - StepTo(stamp, offset_);
}

bool TsLine::IsUsual(TsTicks step, int times) const {
  return usual_ > kNoTicks && std::chrono::abs(step - usual_ * times) <= usual_ / 2;
}

void TsLine::Resume(TsStamp stamp) {
  if (!before_) return;
  const TsTicks step = stamp + before_->offset - TsStamp(before_->last);
  const TsTicks own_step = StepTo(stamp, offset_);
  const bool own = before_->offset == offset_ ? own_step >= kNoTicks : IsUsual(own_step);
  if (own || !IsUsual(step, before_->stamps + 1)) return;
  offset_ = before_->offset;
  last_ = before_->last;
  rhythm_ = before_->rhythm;
  stamp_ = before_->stamp;
  edge_ = before_->edge;
  before_.reset();
}

TsTicks TsLine::settled() const {
  if (!before_) return last_;
  const TsTicks certain = before_->last + usual_ * before_->stamps;
  return std::min(last_, std::max(certain, last_ - kMostUnsettled));
}

// One step may be anything; two alike are usual. One over a pause, a hole or a jump says nothing.
void TsLine::NoteStep(TsTicks step) {
  if (step <= kNoTicks || step > kSlowestRhythm || hole_) return;
  if (rhythm_ > kNoTicks && step <= rhythm_ * 2 && rhythm_ <= step * 2) usual_ = step;
}

void TsLine::Take(TsStamp stamp, TsTicks offset, SteadyTime now) {
  const TsTicks step = StepTo(stamp, offset);
  const TsTicks beat = stamp - stamp_;
  const bool jumps = offset != offset_;
  if (!before_ && usual_ > kNoTicks && !hole_ && (jumps || step > usual_ * 2)) {
    before_ = Before{offset_, last_, rhythm_, stamp_, edge_};
  }
  if (!jumps) NoteStep(step);
  if (before_ && (++before_->stamps > kMostDamaged || (!jumps && IsUsual(step)))) before_.reset();
  if (beat > kNoTicks) rhythm_ = beat;
  offset_ = offset;
  last_ = std::max(last_, last_ + step);
  stamp_ = stamp;
  seen_ = now;
  edge_.Note(last_, now);
  hole_ = false;
}

}  // namespace framelock::stream
