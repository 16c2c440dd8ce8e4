// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stream/ts_line.h"

#include <algorithm>

namespace framelock::stream {

namespace {

constexpr TsTicks kNoTicks{0};
constexpr TsTicks kUnknownStep{3000};  // as of 30 frames a second
constexpr TsTicks kSlowestRhythm = std::chrono::seconds(10);

}  // namespace

TsLine::TsLine(const Rules& rules, TsStamp stamp, SteadyTime now)
    : rules_(rules), last_(static_cast<std::int64_t>(stamp.ticks())), stamp_(stamp), seen_(now) {
  edge_.Note(last_, now);
}

TsLine TsLine::Behind(const TsLine& other) {
  TsLine track = other;
  track.usual_ = track.rhythm_ = kNoTicks;
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
  if (usual_ == kNoTicks) return rules_.longest_step;
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

void TsLine::Take(TsStamp stamp, TsTicks offset, SteadyTime now) {
  const TsTicks step = StepTo(stamp, offset);
  const TsTicks beat = stamp - stamp_;
  // A step over a pause, a hole or a jump says nothing about the usual one.
  if (step > kNoTicks && offset == offset_ && !hole_) {
    const TsTicks limit = usual_ > kNoTicks ? LongestStep() : rules_.least_jump;
    if (step <= limit || KeepsRhythm(stamp)) usual_ = step;
  }
  if (beat > kNoTicks) rhythm_ = beat;
  offset_ = offset;
  last_ = std::max(last_, last_ + step);
  stamp_ = stamp;
  seen_ = now;
  edge_.Note(last_, now);
  hole_ = false;
}

}  // namespace framelock::stream
