// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/end_to_end/scenario.h"

#include "tests/bench/pairs.h"
#include "tests/bench/progress.h"

namespace framelock::bench {

namespace {

std::vector<double> ValuesOf(const std::vector<Figures>& all, std::size_t metric) {
  std::vector<double> values;
  for (const Figures& figures : all) {
    if (figures[metric]) values.push_back(*figures[metric]);
  }
  return values;
}

}  // namespace

Status Scenario::Repeat(const RunOptions& run, const Houses& houses, Report& report,
                        const Measure& measure) {
  std::vector<Figures> ours;
  std::vector<Figures> peers;
  const auto once = [&](House& house, std::vector<Figures>& all) -> Status {
    const Result<Figures> figures = measure(house);
    if (!figures) return Error{figures.error().code, name_ + ": " + figures.error().message};
    all.push_back(*figures);
    return {};
  };
  bool peer_answers = houses.peer != nullptr;
  const Status measured = Interleave(
      name_, run.Pairs(), [&] { return once(*houses.ours, ours); },
      [&]() -> Status {
        if (!peer_answers) return {};
        const Status done = once(*houses.peer, peers);
        peer_answers = done.ok();
        if (!done) TellProgress(run.peer_api.name + " is left out: " + done.error().message);
        return {};
      });
  Write(report, run.peer_api.name, ours, peers);
  if (houses.peer && !peer_answers) {
    Row failed{.scenario = name_, .who = run.peer_api.name, .metric = "failed", .unit = "count"};
    failed.values = {1};
    report.Add(std::move(failed));
  }
  return measured;
}

void Scenario::ReportOnce(Report& report, const Figures& figures) const {
  Write(report, {}, {figures}, {});
}

void Scenario::Write(Report& report, const std::string& peer, const std::vector<Figures>& ours,
                     const std::vector<Figures>& peers) const {
  for (std::size_t i = 0; i < metrics_.size(); ++i) {
    const std::vector<double> mine = ValuesOf(ours, i);
    const std::vector<double> theirs = ValuesOf(peers, i);
    const Metric& metric = metrics_[i];
    if (mine.empty()) continue;
    if (theirs.empty()) {
      Row row{.scenario = name_, .metric = metric.name, .unit = metric.unit, .values = mine};
      row.goal = metric.goal;
      report.Add(std::move(row));
    } else {
      report.AddPairs(
          {.scenario = name_,
           .metric = metric.name,
           .unit = metric.unit,
           .peer = peer,
           .goal = metric.goal,
           .ratio_goal = theirs.size() == mine.size() ? metric.ratio_goal : std::nullopt},
          mine, theirs);
    }
  }
}

}  // namespace framelock::bench
