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
constexpr std::size_t kMost = 256;   // services that are kept
constexpr Duration kShort = 1200ms;  // services that show what is no longer sustained
constexpr Duration kLong = 6s;       // and what is sustained again
constexpr std::size_t kMany = 16;    // services whose mean tells something
// Percent of the service times that must fit an interval, on the whole:
constexpr int kAny = 0;             // if only none is displaced
constexpr int kKept = 100;          // to keep a rate
constexpr int kBegun = 105;         // one that is slower, or not known for long
constexpr int kHastened = 115;      // one that is faster, after kLong
constexpr int kHastenedSoon = 130;  // the same after kShort
constexpr int kPause = 3;           // times the median: a pause, no service time
constexpr std::size_t kPauses = 4;  // alone, in kPauseMemory; those beyond count
constexpr Duration kPauseMemory = 10s;
constexpr Duration kJump = 250ms;        // of the times: nothing to do with those before
constexpr int kJumpIntervals = 8;        // if that is more
constexpr Duration kLongestDelta = 10s;  // a longer one is no frame rate
constexpr Duration kShortPatience = 1s;
constexpr Duration kLongPatience = 256s;
constexpr Duration kTrial = 60s;  // a faster rate that lasts so long has not failed

template <typename Values, typename Project>
Duration Median(const Values& values, Project project) {
  std::vector<Duration> sorted;
  sorted.reserve(values.size());
  for (const auto& value : values) sorted.push_back(project(value));
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
  std::nth_element(sorted.begin(), middle, sorted.end());
  return *middle;
}

}  // namespace

// The frame's place in time; false: its time has nothing to do with the last one's.
bool EvenRate::Sees(Duration time) {
  const auto before = std::exchange(last_, time);
  if (!before) return false;
  const Duration delta = time - *before;
  const Duration jump = std::max<Duration>(kJump, kJumpIntervals * usual_);
  if (delta > 0ns && delta < kLongestDelta) Measure(delta);
  return delta >= 0ns && delta < jump;
}

// The mean of what is near the median: times in whole milliseconds do not add up to an error.
void EvenRate::Measure(Duration delta) {
  deltas_.push_back(delta);
  if (deltas_.size() > kDeltas) deltas_.pop_front();
  const Duration median = Median(deltas_, [](Duration d) { return d; });
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
  const bool goes_on = Sees(time);
  if (goes_on && divisor_ > 1 && time - chosen_ < interval() - usual_ / 2) return false;
  chosen_ = time;
  return true;
}

void EvenRate::Take(Duration time) {
  Sees(time);
  chosen_ = time;
}

void EvenRate::Served(SteadyTime submitted, SteadyTime answered) {
  const Service service{answered, answered - std::max(submitted, last_answer_),
                        answered - submitted};
  last_answer_ = answered;
  if (std::exchange(first_, false) || IsPause(service)) return;
  services_.push_back(service);
  while (services_.size() > kMost ||
         (services_.size() > kLeast && answered - services_.front().answered > kLong)) {
    services_.pop_front();
  }
  Adapt(answered);
}

// Something else than the graph took the time, e.g. a busy machine: no lower rate helps against it.
bool EvenRate::IsPause(const Service& service) {
  if (services_.size() < kLeast || service.own <= interval()) return false;
  const Duration median = Median(services_, [](const Service& s) { return s.own; });
  if (service.own <= kPause * median) return false;
  // Two in a row are no pauses but another pace.
  const bool alone = pauses_.empty() || pauses_.back() < service.answered - service.own - median;
  pauses_.push_back(service.answered);
  while (service.answered - pauses_.front() > kPauseMemory) pauses_.pop_front();
  return alone && pauses_.size() <= kPauses;
}

void EvenRate::ChangeGraph() {
  services_.clear();
  first_ = true;
  pauses_.clear();
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
  const SteadyTime recent = std::min(now - kShort, services_[services_.size() - kLeast].answered);
  const SteadyTime oldest = services_.front().answered;
  const bool full = services_.size() == kMost || now - oldest > kLong - kShort;
  const int percent = full ? kKept : kBegun;
  if (!Sustains(divisor_, {recent, kAny, Order::kOneByOne}) ||
      (services_.size() >= kMany && !Fits(divisor_, {oldest, percent, Order::kOneByOne}))) {
    return Slower(recent);
  }
  if (divisor_ == 1 || (changed_ && now - *changed_ < patience_)) return;
  for (std::uint64_t divisor = 1; divisor < divisor_; ++divisor) {
    const bool soon = Sustains(divisor, {recent, kHastenedSoon, Order::kSideBySide});
    if (!soon && !(full && Sustains(divisor, {oldest, kHastened, Order::kSideBySide}))) continue;
    if (soon) Forget(recent);
    divisor_ = divisor;
    changed_ = hastened_ = now;
    return;
  }
}

// The worker was another one before that, so to speak.
void EvenRate::Forget(SteadyTime before) {
  while (services_.front().answered < before) services_.pop_front();
}

void EvenRate::Slower(SteadyTime since) {
  Forget(since);
  do {
    ++divisor_;
  } while (!Sustains(divisor_, {since, kBegun, Order::kOneByOne}));
  const SteadyTime now = services_.back().answered;
  if (hastened_) {
    const bool failed = now - *hastened_ < kTrial;
    patience_ = failed ? std::min<Duration>(2 * patience_, kLongPatience) : kShortPatience;
  }
  hastened_.reset();
  changed_ = now;
}

// Whether the worker's time suffices for the frames since then, if they come at this rate.
bool EvenRate::Fits(std::uint64_t divisor, const Trial& trial) const {
  Duration work{};
  Duration time{};
  for (const Service& service : services_) {
    if (service.answered < trial.since) continue;
    work += trial.order == Order::kSideBySide ? service.whole : service.own;
    time += usual_ * static_cast<Duration::rep>(divisor);
  }
  const std::size_t workers = trial.order == Order::kSideBySide ? max_in_flight_ : 1;
  return work * trial.percent / 100 <= time * static_cast<Duration::rep>(workers);
}

// The same, and none of them would have been displaced by the next.
bool EvenRate::Sustains(std::uint64_t divisor, const Trial& trial) const {
  if (!Fits(divisor, trial)) return false;
  const Duration interval = usual_ * static_cast<Duration::rep>(divisor);
  const bool parallel = trial.order == Order::kSideBySide;
  std::vector<Duration> free_at(parallel ? max_in_flight_ : 1);
  // What the worker does not have yet waits there for its turn.
  const Duration room = parallel ? interval : interval * static_cast<Duration::rep>(max_in_flight_);
  Duration arrives{};
  for (const Service& service : services_) {
    if (service.answered < trial.since) continue;
    const auto next = std::min_element(free_at.begin(), free_at.end());
    const Duration starts = std::max(arrives, *next);
    if (starts - arrives >= room) return false;
    *next = starts + (parallel ? service.whole : service.own);
    arrives += interval;
  }
  return true;
}

}  // namespace framelock::plugins
