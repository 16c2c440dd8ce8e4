// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/report.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <ctime>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/bench/machine.h"

namespace framelock::bench {
namespace {

constexpr std::size_t kCdfPoints = 200;

nlohmann::ordered_json ToJson(const Row& row) {
  const double median = Median(row.values);
  nlohmann::ordered_json json = {{"suite", row.suite}, {"case", row.scenario},
                                 {"who", row.who},     {"metric", row.metric},
                                 {"unit", row.unit},   {"values", row.values},
                                 {"median", median},   {"spread", Spread(row.values)}};
  if (!row.against.empty()) json["against"] = row.against;
  if (row.goal) {
    json["goal"] = {
        {row.goal->kind == Goal::Kind::kAtMost ? "at_most" : "at_least", row.goal->limit}};
    json["met"] = row.goal->IsMetBy(median);
  }
  return json;
}

nlohmann::ordered_json ToJson(const Series& series) {
  return {
      {"suite", series.suite}, {"case", series.scenario},
      {"who", series.who},     {"metric", series.metric},
      {"unit", series.unit},   {"kind", series.kind == Series::Kind::kCdf ? "cdf" : "over_time"},
      {"x", series.x},         {"y", series.y}};
}

template <typename Items>
nlohmann::ordered_json ToArray(const Items& items) {
  auto array = nlohmann::ordered_json::array();
  for (const auto& item : items) array.push_back(ToJson(item));
  return array;
}

std::string Today() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

}  // namespace

void Report::Add(Row row) {
  row.suite = suite_;
  rows_.push_back(std::move(row));
}

void Report::Add(Series series) {
  series.suite = suite_;
  series_.push_back(std::move(series));
}

void Report::AddPairs(const Paired& what, const std::vector<double>& ours,
                      const std::vector<double>& peers) {
  Row row{.scenario = what.scenario, .metric = what.metric, .unit = what.unit, .values = ours};
  row.goal = what.goal;
  Add(std::move(row));
  AddPeer(what, ours, peers);
}

void Report::AddPeer(const Paired& what, const std::vector<double>& ours,
                     const std::vector<double>& peers) {
  Add(Row{.scenario = what.scenario,
          .who = what.peer,
          .metric = what.metric,
          .unit = what.unit,
          .values = peers});
  Row ratio{.scenario = what.scenario, .metric = what.metric, .unit = "ratio"};
  ratio.against = what.peer;
  ratio.goal = what.ratio_goal;
  for (std::size_t i = 0; i < std::min(ours.size(), peers.size()); ++i) {
    if (peers[i] != 0) ratio.values.push_back(ours[i] / peers[i]);
  }
  if (!ratio.values.empty()) Add(std::move(ratio));
}

void Report::AddCdf(std::string scenario, std::string who, std::string metric, std::string unit,
                    Distribution& samples) {
  Series series{.scenario = std::move(scenario),
                .who = std::move(who),
                .metric = std::move(metric),
                .unit = std::move(unit),
                .x = samples.Quantiles(kCdfPoints)};
  for (std::size_t i = 0; i < series.x.size(); ++i) {
    series.y.push_back(static_cast<double>(i + 1) / static_cast<double>(series.x.size()));
  }
  Add(std::move(series));
}

std::size_t Report::rows_of(const std::string& suite) const {
  return static_cast<std::size_t>(std::count_if(
      rows_.begin(), rows_.end(), [&](const Row& row) { return row.suite == suite; }));
}

Status Report::Write(const std::filesystem::path& file, const std::string& commit,
                     const std::map<std::string, std::string>& options) const {
  const Machine machine = Machine::Read();
  const nlohmann::ordered_json json = {
      {"machine", {{"cpu", machine.cpu}, {"cores", machine.cores}, {"kernel", machine.kernel}}},
      {"commit", commit},
      {"build", FRAMELOCK_BUILD_TYPE},
      {"date", Today()},
      {"options", options},
      {"rows", ToArray(rows_)},
      {"series", ToArray(series_)}};
  std::ofstream out(file);
  out << json.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
  out.flush();
  if (!out) return ErrnoError("write " + file.string());
  return {};
}

}  // namespace framelock::bench
