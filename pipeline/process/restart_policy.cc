// SPDX-License-Identifier: Apache-2.0
#include "pipeline/process/restart_policy.h"

#include <algorithm>
#include <utility>

namespace framelock::process {

RestartPolicy::RestartPolicy(Options options)
    : options_(std::move(options)),
      random_(options_.seed ? *options_.seed : std::random_device{}()) {}

void RestartPolicy::OnStarted(SteadyTime now) { started_ = now; }

std::optional<std::chrono::nanoseconds> RestartPolicy::OnEnded(SteadyTime now) {
  const auto ran =
      started_ ? now - *std::exchange(started_, std::nullopt) : std::chrono::nanoseconds::zero();
  if (ran >= options_.healthy) Reset();
  while (!recent_.empty() && now - recent_.front() >= options_.window) recent_.pop_front();
  if (recent_.size() >= options_.max_restarts) given_up_ = true;
  if (given_up_) return std::nullopt;
  recent_.push_back(now);
  const auto pause = Pause();
  ++restarts_;
  return std::max(pause - ran, std::chrono::nanoseconds::zero());
}

void RestartPolicy::Reset() {
  recent_.clear();
  restarts_ = 0;
  given_up_ = false;
}

std::chrono::nanoseconds RestartPolicy::Pause() {
  if (options_.back_off.empty()) return std::chrono::nanoseconds::zero();
  const auto& step = options_.back_off[std::min(restarts_, options_.back_off.size() - 1)];
  std::uniform_real_distribution<double> factor(1 - options_.jitter, 1 + options_.jitter);
  return std::chrono::duration_cast<std::chrono::nanoseconds>(step * factor(random_));
}

}  // namespace framelock::process
