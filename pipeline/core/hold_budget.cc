// SPDX-License-Identifier: Apache-2.0
#include "pipeline/core/hold_budget.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace framelock {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t kKnown = 8;
constexpr std::size_t kLeast = 32;  // kept whatever their age
constexpr std::size_t kMost = 256;
constexpr HoldBudget::Duration kMemory = 4s;
constexpr double kNoise = 0.005;  // of the output interval, which may be left
// What every frame may wait for the noise of what is not service: the larger of these parts.
constexpr int kIntervalShare = 20;
constexpr int kServiceShare = 4;
constexpr int kRise = 8, kFall = 32;  // parts of the way to go with each frame

// The least time that leaves so little of the noise of these; from the longest down, what is later
// shows as noise in two intervals each.
HoldBudget::Duration Covering(const std::vector<HoldBudget::Duration>& sorted,
                              HoldBudget::Duration interval) {
  const std::size_t last = sorted.size() - 1;
  const HoldBudget::Duration high = sorted[last * 95 / 100];
  const HoldBudget::Duration fence = high + 2 * (high - sorted[last / 2]);
  const auto end = std::upper_bound(sorted.begin(), sorted.end(), fence);
  const double allowed = kNoise * static_cast<double>(interval.count());
  const double most = allowed * allowed * static_cast<double>(sorted.size()) / 2;
  double sum = 0;      // of what is above the budget
  double squares = 0;  // and of the squares of it
  auto budget = std::prev(end);
  for (double above = 1; budget != sorted.begin(); --budget, ++above) {
    const auto step = static_cast<double>((*budget - *std::prev(budget)).count());
    squares += 2 * step * sum + above * step * step;
    sum += above * step;
    if (squares > most) break;
  }
  return *budget;
}

}  // namespace

bool HoldBudget::known() const { return fixed_.has_value() || seen_.size() >= kKnown; }

HoldBudget::Duration HoldBudget::OfOne(Duration interval) const {
  return seen_.size() < kKnown ? value() : std::min(value(), interval + low_);
}

std::optional<HoldBudget::Duration> HoldBudget::typical() const {
  if (seen_.size() < kKnown) return std::nullopt;
  return median_;
}

void HoldBudget::Add(const Lateness& lateness, Duration interval, SteadyTime now) {
  if (std::exchange(first_, false)) return;
  seen_.push_back({now, lateness});
  while (seen_.size() > kMost || (seen_.size() > kLeast && now - seen_.front().at > kMemory)) {
    seen_.pop_front();
  }
  const Duration way = Target(interval) - value_;
  if (way > 0ns) {
    value_ += way / kRise;
  } else if (seen_.size() >= kKnown) {
    // What was known before says nothing any more: once, in one go.
    value_ += seen_.size() == kKnown ? way : way / kFall;
  }
}

HoldBudget::Duration HoldBudget::Target(Duration interval) {
  std::vector<Duration> whole;
  std::vector<Duration> service;
  std::vector<Duration> rest;
  for (const Seen& each : seen_) {
    whole.push_back(each.lateness.whole);
    service.push_back(each.lateness.service);
    rest.push_back(each.lateness.whole - each.lateness.service);
  }
  for (auto* values : {&whole, &service, &rest}) std::sort(values->begin(), values->end());
  const std::size_t last = whole.size() - 1;
  low_ = whole[last * 5 / 100];
  median_ = whole[last / 2];
  const Duration longest = Covering(service, interval);
  const Duration allowance = std::max(interval / kIntervalShare, longest / kServiceShare);
  const Duration own = longest + rest[last / 2] + allowance;
  return std::min({Covering(whole, interval), own, median_ + interval});
}

}  // namespace framelock
