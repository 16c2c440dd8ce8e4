// SPDX-License-Identifier: Apache-2.0
#include "pipeline/core/latency_window.h"

#include <algorithm>
#include <cmath>

namespace framelock {

LatencyWindow::LatencyWindow(std::size_t capacity) : capacity_(std::max<std::size_t>(capacity, 1)) {
  values_.reserve(capacity_);
}

void LatencyWindow::Add(Duration value) {
  if (values_.size() < capacity_) {
    values_.push_back(value);
  } else {
    values_[next_] = value;
  }
  next_ = (next_ + 1) % capacity_;
}

void LatencyWindow::Clear() {
  values_.clear();
  next_ = 0;
}

LatencyWindow::Duration LatencyWindow::Percentile(double percent) const {
  if (values_.empty()) return Duration::zero();
  std::vector<Duration> sorted = values_;
  // Nearest rank: the smallest value with at least `percent` of the window at or below it.
  const double rank =
      std::ceil(std::clamp(percent, 0.0, 100.0) / 100.0 * static_cast<double>(sorted.size()));
  const auto index = static_cast<std::ptrdiff_t>(std::max(rank, 1.0)) - 1;
  std::nth_element(sorted.begin(), sorted.begin() + index, sorted.end());
  return sorted[static_cast<std::size_t>(index)];
}

}  // namespace framelock
