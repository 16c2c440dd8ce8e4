// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace framelock::bench {

/// What a median is to reach.
struct Goal {
  enum class Kind { kAtMost, kAtLeast };
  Kind kind = Kind::kAtMost;
  double limit = 0;

  [[nodiscard]] bool IsMetBy(double value) const {
    return kind == Kind::kAtMost ? value <= limit : value >= limit;
  }
};
inline Goal AtMost(double limit) { return {Goal::Kind::kAtMost, limit}; }
inline Goal AtLeast(double limit) { return {Goal::Kind::kAtLeast, limit}; }

inline constexpr const char* kOurs = "framelock";

/// One figure of a run, measured once a repetition.
struct Row {
  std::string suite;
  std::string scenario;     // "50 subscribers"
  std::string who = kOurs;  // or a peer's name, or "bare"
  std::string metric;       // "p50 write to read"
  std::string unit;         // "ms"; "ratio" where `against` is set
  std::vector<double> values;
  std::string against;  // set: each value is ours over this peer's, of the same pair
  std::optional<Goal> goal;
};

/// A line of a plot: x and y of equal length.
struct Series {
  enum class Kind { kCdf, kOverTime };
  std::string suite;
  std::string scenario;
  std::string who = kOurs;
  std::string metric;  // what y (over time) or x (CDF) says
  std::string unit;
  Kind kind = Kind::kCdf;
  std::vector<double> x;  // CDF: the value; over time: seconds
  std::vector<double> y;  // CDF: the share at or below it, 0 to 1
};

}  // namespace framelock::bench
