// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/core/result.h"
#include "tests/bench/distribution.h"
#include "tests/bench/row.h"

namespace framelock::bench {

/// What the suites of one run found. One thread.
class Report {
 public:
  /// Where the rows and series that follow belong.
  void Enter(std::string suite) { suite_ = std::move(suite); }

  /// Fills in the suite.
  void Add(Row row);
  void Add(Series series);

  /// Where a paired figure belongs and what it is to reach.
  struct Paired {
    std::string scenario;
    std::string metric;
    std::string unit;
    std::string peer;
    std::optional<Goal> goal = std::nullopt;        // of ours alone
    std::optional<Goal> ratio_goal = std::nullopt;  // of ours over the peer's
  };
  /// Three rows: ours, the peer's, and the ratio of each pair. Pairs whose peer value is 0 have
  /// no ratio.
  void AddPairs(const Paired& what, const std::vector<double>& ours,
                const std::vector<double>& peers);
  /// The latter two of them: for a further peer of the same figure.
  void AddPeer(const Paired& what, const std::vector<double>& ours,
               const std::vector<double>& peers);
  /// The distribution's CDF, at most 200 points of it.
  void AddCdf(std::string scenario, std::string who, std::string metric, std::string unit,
              Distribution& samples);

  [[nodiscard]] std::size_t rows_of(const std::string& suite) const;
  [[nodiscard]] const std::vector<Row>& rows() const { return rows_; }

  /// Writes it all as JSON, with machine, commit and date.
  [[nodiscard]] Status Write(const std::filesystem::path& file, const std::string& commit,
                             const std::map<std::string, std::string>& options) const;

 private:
  std::string suite_;
  std::vector<Row> rows_;
  std::vector<Series> series_;
};

}  // namespace framelock::bench
