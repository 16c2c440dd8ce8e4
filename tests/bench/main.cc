// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "pipeline/core/log.h"
#include "pipeline/core/open_file_limit.h"
#include "pipeline/process/child_process.h"
#include "tests/bench/progress.h"
#include "tests/bench/suite.h"

namespace {

using namespace framelock;
using namespace framelock::bench;

// The longest measurement is two minutes, told or not; its preparations have bounds of their own.
constexpr std::chrono::seconds kLongestSilence{360};

struct CommandLine {
  RunOptions run;
  int seconds = 0;
  int pairs = 0;
  bool quick = false;
  bool smoke = false;
  std::string out = "bench-results";
  std::string commit = "unknown";
  std::string log_level = "warn";
};

void AddPeer(CLI::App& app, const std::string& option, const std::string& what, PeerServer& peer) {
  app.add_option(option, peer.url, what + ", measured in the same run")->type_name("URL");
  app.add_option(option + "-name", peer.name, "what the tables call it")->capture_default_str();
  app.add_option(option + "-pid", peer.pid, "its process here, to read CPU and memory of")
      ->type_name("PID")
      ->check(CLI::PositiveNumber);
}

void AddOptions(CLI::App& app, CommandLine& line) {
  app.add_option("--out", line.out, "results folder; results.json is written there")
      ->type_name("DIR")
      ->capture_default_str();
  app.add_option("--seconds", line.seconds, "of one measurement; default: the suite's own")
      ->check(CLI::Range(1, 3600));
  app.add_option("--pairs", line.pairs,
                 "repetitions, interleaved with the peer's; default 5, with --quick 2")
      ->check(CLI::Range(1, 100));
  app.add_option("--only", line.run.only, "cases whose name holds this, where a suite has several")
      ->type_name("TEXT");
  auto* quick = app.add_flag("--quick", line.quick, "short measurements");
  app.add_flag("--smoke", line.smoke, "shows that everything runs; its figures mean nothing")
      ->excludes(quick);
  AddPeer(app, "--peer-relay", "another trickle server", line.run.peer_relay);
  AddPeer(app, "--peer-api", "another server with POST /stream/start", line.run.peer_api);
  app.add_option("--programs", line.run.programs, "folder of framelockd, framelock-relay and so on")
      ->type_name("DIR");
  app.add_option("--commit", line.commit, "what is measured, for the results")->type_name("TEXT");
  app.add_option("--log-level", line.log_level, "trace, debug, info, warn, error or off")
      ->capture_default_str();
}

void Finish(CommandLine& line) {
  RunOptions& run = line.run;
  if (line.quick) run.depth = Depth::kQuick;
  if (line.smoke) run.depth = Depth::kSmoke;
  if (line.seconds > 0) run.seconds = std::chrono::seconds(line.seconds);
  if (line.pairs > 0) run.pairs = line.pairs;
  if (run.programs.empty()) run.programs = process::OwnDirectory();
  run.out = line.out;
}

std::map<std::string, std::string> OptionsForResults(const RunOptions& run) {
  static constexpr const char* kDepths[] = {"smoke", "quick", "full"};
  std::map<std::string, std::string> options{{"depth", kDepths[static_cast<int>(run.depth)]},
                                             {"pairs", std::to_string(run.Pairs())}};
  if (run.seconds) options["seconds"] = std::to_string(run.seconds->count());
  if (run.peer_relay.named()) options["peer_relay"] = run.peer_relay.name;
  if (run.peer_api.named()) options["peer_api"] = run.peer_api.name;
  return options;
}

// Says what it found as it goes, since a full run takes long.
void Print(const Report& report, const char* suite) {
  for (const Row& row : report.rows()) {
    if (row.suite != suite) continue;
    const double median = Median(row.values);
    const char* verdict = !row.goal ? "" : row.goal->IsMetBy(median) ? "  met" : "  MISSED";
    const std::string who = row.against.empty() ? row.who : row.who + " / " + row.against;
    std::printf("  %-44s %-28s %-26s %12.4g %-7s +-%.0f%%%s\n", row.scenario.c_str(),
                row.metric.c_str(), who.c_str(), median, row.unit.c_str(), 100 * Spread(row.values),
                verdict);
  }
  std::fflush(stdout);
}

int Fail(const std::string& what, const Error& error) {
  std::fprintf(stderr, "framelock-bench: %s: %s\n", what.c_str(), error.message.c_str());
  return 1;
}

int Save(const CommandLine& line, const Report& report) {
  const Status written =
      report.Write(line.run.out / "results.json", line.commit, OptionsForResults(line.run));
  return written ? 0 : Fail("results", written.error());
}

// A suite that fails, or hangs, costs its own figures only.
int RunAll(const CommandLine& line, const std::vector<const Suite*>& suites) {
  const StallGuard guard(kLongestSilence + 10 * line.run.seconds.value_or(std::chrono::seconds(0)));
  std::error_code error;
  std::filesystem::create_directories(line.run.out, error);
  Report report;
  int failures = 0;
  for (const Suite* suite : suites) {
    std::printf("%s: %s\n", suite->name, suite->what);
    std::fflush(stdout);
    TellProgress(suite->name);
    report.Enter(suite->name);
    const Status ran = suite->run(line.run, report);
    Print(report, suite->name);
    if (!ran) {
      failures += Fail(suite->name, ran.error());
    } else if (line.run.only.empty() && report.rows_of(suite->name) == 0) {
      failures += Fail(suite->name, Error{ErrorCode::kInternal, "no figure came out"});
    }
    failures += Save(line, report);
  }
  return failures == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  CommandLine line;
  CLI::App app("Measures Framelock, beside its peers where they are named.", "framelock-bench");
  AddOptions(app, line);
  app.require_subcommand(1, 0);
  app.fallthrough();
  CLI::App* all = app.add_subcommand("all", "every suite");
  std::map<const CLI::App*, const Suite*> commands;
  for (const Suite& suite : Suites()) commands[app.add_subcommand(suite.name, suite.what)] = &suite;
  CLI11_PARSE(app, argc, argv);
  Finish(line);
  std::signal(SIGPIPE, SIG_IGN);
  if (const auto set = InitLog({.program = "framelock-bench", .level = line.log_level}); !set) {
    return Fail("log", set.error());
  }
  if (const auto raised = RaiseOpenFileLimit(); !raised.ok()) return Fail("start", raised.error());
  std::vector<const Suite*> chosen;
  for (const auto& suite : Suites()) {
    const auto named = [&](const auto& entry) {
      return entry.second == &suite && entry.first->parsed();
    };
    if (all->parsed() || std::any_of(commands.begin(), commands.end(), named)) {
      chosen.push_back(&suite);
    }
  }
  return RunAll(line, chosen);
}
