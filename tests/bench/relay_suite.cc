// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/relay_suite.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "tests/bench/pairs.h"
#include "tests/bench/progress.h"
#include "tests/bench/relay_under_test.h"

namespace framelock::bench {
namespace {

using Figures = RelayUnderTest::Figures;

constexpr auto kSegment = std::chrono::milliseconds(1000);
constexpr double kFrameMs = 33;  // what a chunk may take at the limit

// The two servers of a run, or ours alone.
struct Servers {
  RelayUnderTest ours;
  std::optional<RelayUnderTest> peer;

  static Result<Servers> Start(const RunOptions& options) {
    auto ours = RelayUnderTest::Ours(options);
    if (!ours) return ours.error();
    Servers servers{.ours = std::move(*ours), .peer = std::nullopt};
    if (options.peer_relay.named()) {
      auto peer = RelayUnderTest::Peer(options);
      if (!peer) return peer.error();
      servers.peer.emplace(std::move(*peer));
    }
    return servers;
  }

  // One measurement of each, in turns.
  Status InTurns(const std::string& scenario, int pairs,
                 const std::function<Status(const RelayUnderTest&)>& measure) const {
    return Interleave(
        scenario, pairs, [&] { return measure(ours); },
        [&] { return peer ? measure(*peer) : Status(); });
  }
  [[nodiscard]] bool is_ours(const RelayUnderTest& server) const { return &server == &ours; }
};

// A quantity of each measurement, ours and the peer's.
class PairedValues {
 public:
  explicit PairedValues(const Servers& servers) : servers_(servers) {}
  void Add(const RelayUnderTest& server, double value) {
    (servers_.is_ours(server) ? ours_ : peers_).push_back(value);
  }
  void Tell(Report& report, Report::Paired what) const {
    if (ours_.empty()) return;
    if (servers_.peer) {
      what.peer = servers_.peer->name();
      report.AddPairs(what, ours_, peers_);
    } else {
      report.Add(Row{.scenario = what.scenario,
                     .metric = what.metric,
                     .unit = what.unit,
                     .values = ours_,
                     .goal = what.goal});
    }
  }

 private:
  const Servers& servers_;
  std::vector<double> ours_;
  std::vector<double> peers_;
};

// What every load is judged by.
struct LoadRows {
  explicit LoadRows(const Servers& servers)
      : p50(servers), p99(servers), first_p50(servers), cpu_per_gb(servers), rss(servers) {}

  void Add(const RelayUnderTest& server, Figures& figures) {
    p50.Add(server, figures.load.write_to_read.Percentile(0.5));
    p99.Add(server, figures.load.write_to_read.Percentile(0.99));
    first_p50.Add(server, figures.load.first_chunk.Percentile(0.5));
    if (figures.cpu_seconds) {
      cpu_per_gb.Add(server,
                     *figures.cpu_seconds / (static_cast<double>(figures.load.bytes) / 1e9));
    }
    if (figures.rss_mib) rss.Add(server, *figures.rss_mib);
  }
  void Tell(Report& report, const std::string& scenario) const {
    const auto tell = [&](const PairedValues& values, const char* metric, const char* unit,
                          std::optional<Goal> ratio_goal) {
      values.Tell(report, {.scenario = scenario,
                           .metric = metric,
                           .unit = unit,
                           .peer = {},
                           .goal = std::nullopt,
                           .ratio_goal = ratio_goal});
    };
    tell(p50, "write to read, p50", "ms", AtMost(0.7));
    tell(p99, "write to read, p99", "ms", AtMost(0.7));
    tell(first_p50, "first chunk of a segment, p50", "ms", std::nullopt);
    tell(cpu_per_gb, "CPU per GB delivered", "s", AtMost(0.5));
    tell(rss, "resident memory", "MiB", AtMost(1.0));
  }

  PairedValues p50, p99, first_p50, cpu_per_gb, rss;
};

// Whole segments for as long as a measurement is to take; a smoke run makes them short instead.
LoadOptions LoadFor(std::chrono::milliseconds run_time) {
  LoadOptions load;
  const auto chunks = std::max<std::int64_t>(run_time / load.chunk_interval, 2);
  if (run_time < kSegment) {
    load.chunks_per_segment = static_cast<std::uint32_t>(chunks) / 2;
    load.segments = 2;
  } else {
    load.segments = static_cast<std::uint32_t>(run_time / kSegment);
  }
  return load;
}

Status MeasureLatency(const RunOptions& options, const Servers& servers, Report& report) {
  for (const std::size_t subscribers : {1, 50, 200}) {
    const std::string scenario = std::to_string(subscribers) +
                                 (subscribers == 1 ? " subscriber" : " subscribers") +
                                 ", 8 KiB at 30/s";
    if (!options.Wants(scenario)) continue;
    LoadRows rows(servers);
    Distribution ours;
    Distribution peers;
    const auto measure = [&](const RelayUnderTest& server) -> Status {
      LoadOptions load = LoadFor(options.RunTime(std::chrono::seconds(4)));
      load.subscribers = subscribers;
      auto figures = server.Measure(load);
      if (!figures) return figures.error();
      (servers.is_ours(server) ? ours : peers).Add(figures->load.write_to_read.Quantiles(2000));
      rows.Add(server, *figures);
      return {};
    };
    if (auto done = servers.InTurns(scenario, options.Pairs(), measure); !done) return done;
    rows.Tell(report, scenario);
    report.AddCdf(scenario, kOurs, "write to read", "ms", ours);
    if (servers.peer) report.AddCdf(scenario, servers.peer->name(), "write to read", "ms", peers);
  }
  return {};
}

// 16 streams of 6 Mbit/s.
LoadOptions HeavyLoad(const RunOptions& options, std::chrono::milliseconds usual) {
  LoadOptions load = LoadFor(options.RunTime(usual));
  load.channels = options.Choose<std::size_t>(2, 16, 16);
  load.chunk_bytes = 25'000;
  load.subscribers = options.Choose<std::size_t>(2, 8, 8);
  return load;
}

Status MeasureHeavy(const RunOptions& options, const Servers& servers, Report& report) {
  const std::string scenario = "16 channels of 6 Mbit/s, 8 subscribers each";
  if (!options.Wants(scenario)) return {};
  LoadRows rows(servers);
  const auto measure = [&](const RelayUnderTest& server) -> Status {
    auto figures = server.Measure(HeavyLoad(options, std::chrono::seconds(4)));
    if (!figures) return figures.error();
    rows.Add(server, *figures);
    return {};
  };
  if (auto done = servers.InTurns(scenario, options.Pairs(), measure); !done) return done;
  rows.Tell(report, scenario);
  return {};
}

// Whether so many subscribers of each channel get what they should in time.
Result<bool> Holds(const RunOptions& options, const RelayUnderTest& server,
                   std::size_t subscribers) {
  LoadOptions load = HeavyLoad(options, std::chrono::seconds(2));
  load.subscribers = subscribers;
  TellProgress("capacity");
  auto figures = server.Measure(load);
  if (!figures) return figures.error();
  return figures->load.kept_up && figures->load.write_to_read.Percentile(0.99) <= kFrameMs;
}

// Subscribers of all channels together: doubled until it is too much, then halved in between, to a
// sixteenth.
Result<double> Climb(const RunOptions& options, const RelayUnderTest& server) {
  const std::size_t most = options.Choose<std::size_t>(2, 512, 512);
  std::size_t held = 0;
  std::size_t too_many = most + 1;
  std::size_t next = std::min<std::size_t>(8, most);
  while (too_many - held > std::max<std::size_t>(held / 16, 1)) {
    const auto holds = Holds(options, server, next);
    if (!holds) return holds.error();
    (*holds ? held : too_many) = next;
    next = too_many > most ? std::min(held * 2, most) : (held + too_many) / 2;
  }
  return static_cast<double>(held * HeavyLoad(options, kSegment).channels);
}

Status MeasureCapacity(const RunOptions& options, const Servers& servers, Report& report) {
  const std::string scenario = "16 channels of 6 Mbit/s, as many subscribers as it bears";
  if (!options.Wants(scenario)) return {};
  PairedValues held(servers);
  const auto measure = [&](const RelayUnderTest& server) -> Status {
    const auto subscribers = Climb(options, server);
    if (!subscribers) return subscribers.error();
    held.Add(server, *subscribers);
    return {};
  };
  if (auto done = servers.InTurns(scenario, options.Pairs(), measure); !done) return done;
  held.Tell(report, {.scenario = scenario,
                     .metric = "subscribers with p99 at 33 ms or less",
                     .unit = "count",
                     .peer = {},
                     .goal = std::nullopt,
                     .ratio_goal = AtLeast(2)});
  return {};
}

}  // namespace

Status RunRelay(const RunOptions& options, Report& report) {
  const auto servers = Servers::Start(options);
  if (!servers) return servers.error();
  if (auto done = MeasureLatency(options, *servers, report); !done) return done;
  if (auto done = MeasureHeavy(options, *servers, report); !done) return done;
  return MeasureCapacity(options, *servers, report);
}

Status RunSeam(const RunOptions& options, Report& report) {
  static constexpr const char* kScenario = "segments of 1 s, 8 KiB at 30/s";
  const auto relay = RelayUnderTest::Ours(options);
  if (!relay) return relay.error();
  struct Style {
    LoadOptions::Style style;
    Distribution all;
    std::vector<double> p50, p99, connects_per_minute;
  };
  Style preconnect{.style = LoadOptions::Style::kPreconnect};
  Style reconnect{.style = LoadOptions::Style::kReconnect};
  const auto measure = [&](Style& style) -> Status {
    LoadOptions load = LoadFor(options.RunTime(std::chrono::seconds(6)));
    load.style = style.style;
    auto figures = relay->Measure(load);
    if (!figures) return figures.error();
    auto& seam = figures->load.seam;
    if (seam.size() + 1 != load.segments) {
      return Error{ErrorCode::kInternal, "saw " + std::to_string(seam.size()) + " seams of " +
                                             std::to_string(load.segments) + " segments"};
    }
    style.p50.push_back(seam.Percentile(0.5));
    style.p99.push_back(seam.Percentile(0.99));
    style.all.Add(seam.Quantiles(seam.size()));
    style.connects_per_minute.push_back(figures->load.connects_per_minute);
    return {};
  };
  const Status done = Interleave(
      kScenario, options.Pairs(), [&] { return measure(preconnect); },
      [&] { return measure(reconnect); });
  if (!done) return done;
  const auto tell = [&](const char* metric, const char* unit, std::vector<double> Style::*values,
                        std::optional<Goal> ratio_goal) {
    report.AddPairs({.scenario = kScenario,
                     .metric = metric,
                     .unit = unit,
                     .peer = "a connection a segment",
                     .goal = std::nullopt,
                     .ratio_goal = ratio_goal},
                    preconnect.*values, reconnect.*values);
  };
  tell("gap between segments, p50", "ms", &Style::p50, std::nullopt);
  tell("gap between segments, p99", "ms", &Style::p99, AtMost(0.5));
  tell("TCP connects", "/min", &Style::connects_per_minute, AtMost(0.1));
  report.AddCdf(kScenario, kOurs, "gap between segments", "ms", preconnect.all);
  report.AddCdf(kScenario, "a connection a segment", "gap between segments", "ms", reconnect.all);
  return {};
}

}  // namespace framelock::bench
