// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/distribution.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace framelock::bench {

void Distribution::Sort() {
  if (!sorted_) std::sort(samples_.begin(), samples_.end());
  sorted_ = true;
}

double Distribution::Percentile(double share) {
  if (samples_.empty()) return 0;
  Sort();
  const double rank = std::ceil(std::clamp(share, 0.0, 1.0) * static_cast<double>(size()));
  return samples_[std::max<std::size_t>(static_cast<std::size_t>(rank), 1) - 1];
}

double Distribution::Mean() const {
  if (samples_.empty()) return 0;
  return std::accumulate(samples_.begin(), samples_.end(), 0.0) / static_cast<double>(size());
}

double Distribution::Deviation() const {
  if (samples_.size() < 2) return 0;
  const double mean = Mean();
  double squares = 0;
  for (const double sample : samples_) squares += (sample - mean) * (sample - mean);
  return std::sqrt(squares / static_cast<double>(size() - 1));
}

std::vector<double> Distribution::Quantiles(std::size_t points) {
  Sort();
  if (size() <= points || points < 2) return samples_;
  std::vector<double> quantiles(points);
  for (std::size_t i = 0; i < points; ++i) {
    quantiles[i] = samples_[i * (size() - 1) / (points - 1)];
  }
  return quantiles;
}

double Median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

double Spread(const std::vector<double>& values) {
  if (values.size() < 2) return 0;
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  const double median = Median(values);
  return median == 0 ? 0 : (*most - *least) / 2 / std::abs(median);
}

}  // namespace framelock::bench
