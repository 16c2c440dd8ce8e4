// SPDX-License-Identifier: Apache-2.0
#include "plugins/pace.h"

#include <algorithm>

namespace framelock::plugins {

bool Pace::Wants(std::optional<Duration> pts, SteadyTime now) const {
  return options_.cadence != Cadence::kSteady ||
         rate_.WouldChoose(pts.value_or(now.time_since_epoch()));
}

bool Pace::Enter(LineFrame& frame, Flow flow) {
  const Duration time = frame.pts.value_or(frame.arrived.time_since_epoch());
  frame.expected = clock_.Arrived(time, frame.arrived);
  if (options_.cadence == Cadence::kSteady && flow == Flow::kServed) return rate_.Choose(time);
  // While nobody answers each frame counts, so that the source passes at its own pace.
  rate_.Take(time);
  return true;
}

void Pace::Answered(const LineFrame& frame, SteadyTime submitted, SteadyTime now) {
  if (options_.cadence == Cadence::kSteady) {
    const std::uint64_t before = rate_.divisor();
    rate_.Served(submitted, now);
    if (rate_.divisor() < before) hold_.Clear();  // the worker is another one, so to speak
  }
  hold_.Add({.whole = now - frame.expected, .service = now - frame.arrived}, rate_.interval(), now);
}

void Pace::ChangeGraph() {
  rate_.ChangeGraph();
  hold_.Clear();
}

void Pace::Restart() {
  rate_.Restart();
  clock_.Restart();
}

Pace::Duration Pace::budget() const {
  switch (options_.cadence) {
    case Cadence::kSteady:
      if (options_.release == Release::kAtOnce) return {};
      return hold_.OfOne(rate_.interval());
    case Cadence::kEvery:
      return Hopeless() ? Duration::zero() : hold_.value();
    case Cadence::kAsReady:
      break;
  }
  return {};
}

// Whether results come when their places are gone.
bool Pace::Hopeless() const {
  const auto places = static_cast<Duration::rep>(options_.max_places);
  return !options_.latency &&
         hold_.typical().value_or(Duration::zero()) > places * rate_.interval();
}

SteadyTime Pace::Due(const LineFrame& frame) const {
  if (options_.cadence == Cadence::kAsReady) return SteadyTime{};
  return frame.expected + budget();
}

std::optional<SteadyTime> Pace::Patience(const LineFrame& frame) const {
  if (options_.cadence != Cadence::kEvery) return std::nullopt;
  // A result that is a little late is better than none.
  const Duration grace = rate_.interval() / 2;
  return hold_.known() ? frame.expected + budget() + grace
                       : frame.expected + std::max(hold_.value(), options_.stall_timeout);
}

}  // namespace framelock::plugins
