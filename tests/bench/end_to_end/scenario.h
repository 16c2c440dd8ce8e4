// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/core/result.h"
#include "tests/bench/end_to_end/house.h"
#include "tests/bench/report.h"
#include "tests/bench/run_options.h"

namespace framelock::bench {

/// One measurement's figures, in the order of the scenario's metrics; nullopt: not to be known
/// there, e.g. a peer's memory.
using Figures = std::vector<std::optional<double>>;

struct Metric {
  std::string name;
  std::string unit;
  std::optional<Goal> goal = std::nullopt;        // of ours
  std::optional<Goal> ratio_goal = std::nullopt;  // of ours over the peer's
};

/// What is measured in one situation, again and again, here and at the peer. One thread.
class Scenario {
 public:
  Scenario(std::string name, std::vector<Metric> metrics)
      : name_(std::move(name)), metrics_(std::move(metrics)) {}

  using Measure = std::function<Result<Figures>(House&)>;
  /// Measures run.Pairs() times, the peer's house in between where there is one, and reports. A
  /// peer that fails is left out of the rest, and a row says so.
  Status Repeat(const RunOptions& run, const Houses& houses, Report& report,
                const Measure& measure);
  /// Ours alone, once.
  void ReportOnce(Report& report, const Figures& figures) const;

 private:
  void Write(Report& report, const std::string& peer, const std::vector<Figures>& ours,
             const std::vector<Figures>& peers) const;

  std::string name_;
  std::vector<Metric> metrics_;
};

}  // namespace framelock::bench
