// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

namespace framelock::bench {

/// Samples of one quantity. Empty ones answer 0.
class Distribution {
 public:
  void Add(double sample) {
    samples_.push_back(sample);
    sorted_ = false;
  }
  void Add(const std::vector<double>& samples) {
    samples_.insert(samples_.end(), samples.begin(), samples.end());
    sorted_ = false;
  }

  [[nodiscard]] std::size_t size() const { return samples_.size(); }
  /// The smallest sample that `share` (0 to 1) of all do not exceed.
  double Percentile(double share);
  double Median() { return Percentile(0.5); }
  [[nodiscard]] double Mean() const;
  [[nodiscard]] double Deviation() const;
  /// At most `points` samples, ascending and evenly spaced in rank, smallest and largest included.
  std::vector<double> Quantiles(std::size_t points);

 private:
  void Sort();
  std::vector<double> samples_;
  bool sorted_ = false;
};

/// Of an even number the mean of the middle two; 0 of none.
double Median(std::vector<double> values);
/// Half the distance between the largest and the smallest, over the median; 0 of fewer than two.
double Spread(const std::vector<double>& values);

}  // namespace framelock::bench
