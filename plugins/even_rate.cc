// SPDX-License-Identifier: Apache-2.0
#include "plugins/even_rate.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace framelock::plugins {

namespace {

using namespace std::chrono_literals;
using Duration = EvenRate::Duration;

constexpr std::size_t kDeltas = 32;  // of which the usual one is found
constexpr std::size_t kLeast = 4;    // services before anything is judged, whatever their age
constexpr std::size_t kMost = 640;   // services that are kept
constexpr Duration kShort = 1200ms;  // services that show what is no longer sustained
constexpr Duration kLong = 6s;       // and what is sustained again
constexpr Duration kMemory = 10s;    // services that are kept
constexpr std::size_t kMany = 16;    // services whose mean tells something
constexpr std::size_t kLatest = 8;   // services whose median is the usual one
// Percent of the service times that must fit an interval, on the whole:
constexpr int kAny = 0;                  // if only none is displaced
constexpr int kKept = 100;               // to keep a rate
constexpr int kBegun = 105;              // one that is slower, or not known for long
constexpr int kHastened = 115;           // one that is faster, after kLong
constexpr int kHastenedSoon = 130;       // the same after kShort
constexpr int kTried = 102;              // one that is faster, after a long patience,
constexpr int kTriedAfter = 30;          // this times the usual one,
constexpr int kTriedRoom = 25;           // if noise makes no frame wait longer than this percent
constexpr int kHitch = 3;                // times the median: a hitch, no service time
constexpr int kRare = 30;                // percent of the time that several hitches may take
constexpr int kRoom = 2;                 // services that an interval may have room for
constexpr int kFarTooSlow = 4;           // the same; two such ones are enough to see it
constexpr Duration kUnknown = 250ms;     // the longest interval for a graph that is not known yet
constexpr Duration kJump = 250ms;        // of the times: nothing to do with those before
constexpr int kJumpIntervals = 8;        // if that is more
constexpr Duration kLongestDelta = 10s;  // a longer one is no frame rate
constexpr Duration kShortPatience = 1s;
constexpr Duration kLongPatience = 256s;
constexpr Duration kForEver = Duration::max();
constexpr Duration kTrial = 60s;  // a faster rate that lasts so long has not failed

Duration Median(std::vector<Duration> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

// The frame's place in time; false: its time has nothing to do with the last one's.
bool EvenRate::Sees(Duration time) {
  const bool goes_on = GoesOn(time);
  const auto before = std::exchange(last_, time);
  if (before && time > *before && time - *before < kLongestDelta) Measure(time - *before);
  return goes_on;
}

bool EvenRate::GoesOn(Duration time) const {
  const Duration jump = std::max<Duration>(kJump, kJumpIntervals * usual_);
  return last_ && time >= *last_ && time - *last_ < jump;
}

// Whether it is too early for the next one.
bool EvenRate::Passes(Duration time) const {
  return divisor_ > 1 && time - chosen_ < interval() - usual_ / 2;
}

bool EvenRate::WouldChoose(Duration time) const { return !GoesOn(time) || !Passes(time); }

// The mean of what is near the median: times in whole milliseconds do not add up to an error.
void EvenRate::Measure(Duration delta) {
  deltas_.push_back(delta);
  if (deltas_.size() > kDeltas) deltas_.pop_front();
  const Duration median = Median({deltas_.begin(), deltas_.end()});
  Duration sum{};
  int count = 0;
  for (const Duration each : deltas_) {
    if (2 * each < median || 2 * each > 3 * median) continue;
    sum += each;
    ++count;
  }
  usual_ = sum / count;
}

bool EvenRate::Choose(Duration time) {
  if (Sees(time) && Passes(time)) return false;
  chosen_ = time;
  return true;
}

void EvenRate::Take(Duration time) {
  Sees(time);
  chosen_ = time;
}

void EvenRate::Served(SteadyTime submitted, SteadyTime answered) {
  const Service service{answered, answered - std::max(submitted, last_answer_)};
  last_answer_ = answered;
  if (std::exchange(first_, false)) return;
  services_.push_back(service);
  while (services_.size() > kMost ||
         (services_.size() > kLeast && answered - services_.front().answered > kMemory)) {
    services_.pop_front();
  }
  Adapt(answered);
}

void EvenRate::ChangeGraph() {
  services_.clear();
  first_ = true;
  if (usual_ > 0ns) divisor_ = std::clamp<std::uint64_t>(kUnknown / usual_, 1, divisor_);
  changed_.reset();
  hastened_.reset();
  patience_ = kShortPatience;
}

void EvenRate::Restart() {
  last_.reset();
  deltas_.clear();
}

void EvenRate::Adapt(SteadyTime now) {
  if (services_.size() < kLeast || usual_ == 0ns) return;
  const Typical typical = FindTypical(now);
  const SteadyTime recent = Since(now - kShort, kLeast);
  const SteadyTime oldest = Since(std::max(now - kLong, services_.front().answered), kLeast);
  const int percent = now - oldest > kLong - kShort ? kKept : kBegun;
  const bool kept =
      Sustains(divisor_, {recent, typical.longest, kAny}) &&
      (services_.size() < kMany || Fits(divisor_, {oldest, typical.longest, percent}));
  kept ? Faster(now, oldest, typical) : Slower(recent, typical);
}

// Services since that time, but so many at least.
SteadyTime EvenRate::Since(SteadyTime time, std::size_t least) const {
  return std::min(time, services_[services_.size() - least].answered);
}

EvenRate::Typical EvenRate::FindTypical(SteadyTime now) const {
  std::vector<Duration> latest;
  const std::size_t others = services_.size() - std::min(services_.size(), kLatest);
  for (std::size_t i = others; i < services_.size(); ++i) latest.push_back(services_[i].own);
  const Duration median = Median(std::move(latest));
  Typical typical{std::max(kHitch * median, usual_), {}};
  Duration counted{}, hitches{};
  Duration::rep several = 0;
  for (const Service& service : services_) {
    (service.own > typical.longest ? hitches : counted) += service.own;
    several += service.own > typical.longest ? 1 : 0;
  }
  const Duration time = now - services_.front().answered;
  auto count = static_cast<Duration::rep>(services_.size());
  if (several > 1 && 100 * hitches > kRare * time) {
    typical.longest = Duration::max();
    counted += hitches;
  } else {
    count -= several;
  }
  typical.counted = std::max(median, counted / count);
  return typical;
}

void EvenRate::Slower(SteadyTime since, const Typical& typical) {
  const auto most = static_cast<std::uint64_t>((kRoom * typical.counted + usual_ - 1ns) / usual_);
  if (divisor_ >= most) return;
  Forget(since);
  do {
    ++divisor_;
  } while (divisor_ < most && !Sustains(divisor_, {since, typical.longest, kBegun}));
  const SteadyTime now = services_.back().answered;
  if (hastened_) {
    const bool failed = now - *hastened_ < kTrial;
    patience_ = failed ? std::min<Duration>(2 * patience_, kLongPatience) : kShortPatience;
  }
  hastened_.reset();
  changed_ = now;
}

void EvenRate::Faster(SteadyTime now, SteadyTime oldest, const Typical& typical) {
  const Duration waited = changed_ ? now - *changed_ : kForEver;
  if (divisor_ == 1 || waited < patience_) return;
  const bool far = std::all_of(services_.end() - 2, services_.end(), [this](const Service& s) {
    return kFarTooSlow * s.own <= interval();
  });
  const Trial soon{Since(now - kShort, far ? 2 : kLeast), typical.longest, kHastenedSoon};
  const Trial later{oldest, typical.longest, kHastened};
  const Trial late{oldest, typical.longest, kTried, kTriedRoom};
  const bool full = now - oldest > kLong - kShort;
  for (std::uint64_t divisor = 1; divisor < divisor_; ++divisor) {
    const bool hastens = Sustains(divisor, soon);
    const bool kept = full && (Sustains(divisor, later) ||
                               (waited > kTriedAfter * patience_ && Sustains(divisor, late)));
    if (!hastens && !kept) continue;
    if (hastens) Forget(soon.since);
    divisor_ = divisor;
    changed_ = hastened_ = now;
    return;
  }
}

// The worker was another one before that, so to speak.
void EvenRate::Forget(SteadyTime before) {
  while (services_.front().answered < before) services_.pop_front();
}

// Whether the worker's time suffices for the frames since then, if they come at this rate.
bool EvenRate::Fits(std::uint64_t divisor, const Trial& trial) const {
  Duration work{};
  Duration time{};
  for (const Service& service : services_) {
    if (service.answered < trial.since || service.own > trial.longest) continue;
    work += service.own;
    time += usual_ * static_cast<Duration::rep>(divisor);
  }
  return work * trial.percent / 100 <= time;
}

// The same, and none of them would have been displaced by the next.
bool EvenRate::Sustains(std::uint64_t divisor, const Trial& trial) const {
  if (!Fits(divisor, trial)) return false;
  const Duration interval = usual_ * static_cast<Duration::rep>(divisor);
  // What the worker has, but has not begun, waits there for its turn.
  const Duration room = interval * static_cast<Duration::rep>(max_in_flight_) * trial.room / 100;
  Duration arrives{};
  Duration free_at{};
  for (const Service& service : services_) {
    if (service.answered < trial.since || service.own > trial.longest) continue;
    const Duration starts = std::max(arrives, free_at);
    if (starts - arrives >= room) return false;
    free_at = starts + service.own;
    arrives += interval;
  }
  return true;
}

}  // namespace framelock::plugins
