// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/handover_suite.h"

#include <spdlog/spdlog.h>

#include <array>
#include <functional>
#include <map>

#include "tests/bench/copy_count.h"
#include "tests/bench/echo_peers.h"
#include "tests/bench/progress.h"
#include "tests/bench/worker_round_trip.h"

namespace framelock::bench {
namespace {

constexpr FrameShape kSmall{"512x512 RGB", 512, 512, 3};
constexpr FrameShape kLarge{"1920x1080 RGBA", 1920, 1080, 4};

struct Peer {
  const char* name;
  Result<Distribution> (*measure)(const RoundTrips&);
  std::optional<double> most;  // of our p50 over its
};
constexpr std::array kPeers{
    Peer{"one memcpy + eventfd", MeasureSharedMemory, 1.3},
    Peer{"pipe", MeasurePipe, std::nullopt},
    Peer{"unix socket", MeasureUnixSocket, std::nullopt},
    Peer{"Python multiprocessing.Queue", MeasurePythonQueue, 0.05},
};

// The repetitions of one way with one frame.
struct Times {
  std::vector<double> p50, p99;
  Distribution all;
  void Add(Distribution& times) {
    p50.push_back(times.Percentile(0.5));
    p99.push_back(times.Percentile(0.99));
    all.Add(times.Quantiles(500));
  }
};
// By frame, then by way.
using Measured = std::map<std::string, std::map<std::string, Times>>;

Status MeasureOnce(const FrameShape& frame, const RunOptions& options, WorkerRoundTrip& worker,
                   Measured& measured) {
  const RoundTrips trips{.frame = frame, .run_time = options.RunTime(std::chrono::seconds(1))};
  auto& ways = measured[frame.name];
  auto ours = worker.Measure(trips);
  if (!ours) return ours.error();
  ways[kOurs].Add(*ours);
  for (const Peer& peer : kPeers) {
    auto times = peer.measure(trips);
    if (times) {
      ways[peer.name].Add(*times);
    } else if (times.error().code == ErrorCode::kNotFound) {
      spdlog::warn("{} is left out: {}", peer.name, times.error().message);
    } else {
      return Error{times.error().code, std::string(peer.name) + ": " + times.error().message};
    }
  }
  return {};
}

void Tell(const FrameShape& frame, std::map<std::string, Times>& ways, Report& report) {
  const std::string scenario = frame.name;
  const Times& ours = ways[kOurs];
  report.Add(Row{.scenario = scenario,
                 .metric = "round trip, p50",
                 .unit = "us",
                 .values = ours.p50,
                 .goal = AtMost(25)});
  report.Add(
      Row{.scenario = scenario, .metric = "round trip, p99", .unit = "us", .values = ours.p99});
  for (const Peer& peer : kPeers) {
    if (ways.count(peer.name) == 0) continue;
    const Times& theirs = ways[peer.name];
    const auto goal = peer.most ? std::optional(AtMost(*peer.most)) : std::nullopt;
    report.AddPeer({.scenario = scenario,
                    .metric = "round trip, p50",
                    .unit = "us",
                    .peer = peer.name,
                    .ratio_goal = goal},
                   ours.p50, theirs.p50);
    report.AddPeer(
        {.scenario = scenario, .metric = "round trip, p99", .unit = "us", .peer = peer.name},
        ours.p99, theirs.p99);
  }
  for (auto& [way, times] : ways) {
    report.AddCdf(scenario, way, "round trip", "us", times.all);
  }
}

// The shipped element's own count, with frames that its worker works on.
Status CountCopies(const FrameShape& frame, const RunOptions& options, Report& report) {
  constexpr int kFrames = 30;
  const auto plugins = options.programs.parent_path() / "lib" / "gstreamer-1.0";
  const auto count = CopyCount::Take(frame, kFrames, plugins);
  if (!count) return count.error();
  if (count->completed != kFrames) {
    return Error{ErrorCode::kInternal, "workerfilter completed " +
                                           std::to_string(count->completed) + " of " +
                                           std::to_string(kFrames) + " frames"};
  }
  report.Add(Row{.scenario = frame.name,
                 .metric = "copies of a frame in workerfilter",
                 .unit = "count",
                 .values = {static_cast<double>(count->copies) / kFrames},
                 .goal = AtMost(0)});
  return {};
}

}  // namespace

Status RunHandover(const RunOptions& options, Report& report) {
  auto worker = WorkerRoundTrip::Start(options.Program("framelock-worker"));
  if (!worker) return worker.error();
  Measured measured;
  for (int i = 0; i < options.Pairs(); ++i) {
    for (const FrameShape& frame : {kSmall, kLarge}) {
      TellProgress(std::string(frame.name) + ", " + std::to_string(i + 1));
      if (auto done = MeasureOnce(frame, options, **worker, measured); !done) return done;
    }
  }
  for (const FrameShape& frame : {kSmall, kLarge}) Tell(frame, measured[frame.name], report);
  Row sizes{.scenario = "1920x1080 RGBA over 512x512 RGB",
            .metric = "round trip, p50",
            .unit = "ratio",
            .goal = AtMost(1.2)};
  const auto& large = measured[kLarge.name][kOurs].p50;
  const auto& small = measured[kSmall.name][kOurs].p50;
  for (std::size_t i = 0; i < large.size(); ++i) sizes.values.push_back(large[i] / small[i]);
  report.Add(std::move(sizes));
  for (const FrameShape& frame : {kSmall, kLarge}) {
    if (auto done = CountCopies(frame, options, report); !done) return done;
  }
  return {};
}

}  // namespace framelock::bench
