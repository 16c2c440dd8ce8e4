// SPDX-License-Identifier: Apache-2.0
#include "pipeline/core/rate_meter.h"

namespace framelock {

void RateMeter::Tick(SteadyTime now) {
  events_.push_back(now);
  while (events_.size() > kMaxEvents || events_.front() < now - window_) events_.pop_front();
}

double RateMeter::PerSecond(SteadyTime now) const {
  std::size_t first = 0;
  while (first < events_.size() && events_[first] < now - window_) ++first;
  const std::size_t count = events_.size() - first;
  if (count < 2) return 0.0;
  const std::chrono::duration<double> span = events_.back() - events_[first];
  return span.count() > 0 ? static_cast<double>(count - 1) / span.count() : 0.0;
}

}  // namespace framelock
