// SPDX-License-Identifier: Apache-2.0
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <chrono>
#include <span>
#include <thread>

#include "examples/channel_elements.h"
#include "tests/bench/bare_timer.h"
#include "tests/bench/distribution.h"
#include "tests/bench/end_to_end/evenness.h"
#include "tests/bench/end_to_end/live_stream.h"
#include "tests/bench/end_to_end/output_watch.h"
#include "tests/bench/end_to_end/scenario.h"
#include "tests/bench/end_to_end/stamped_source.h"
#include "tests/bench/end_to_end/suites.h"
#include "tests/bench/progress.h"

namespace framelock::bench {

namespace {

using nlohmann::json;
using std::chrono::milliseconds;

constexpr int kInputFps = 30;
constexpr double kNoise = 0.3;
constexpr double kServiceP99 = 1 + kNoise * 0.98;  // over the mean, of times spread evenly
constexpr double kPauseSeconds = 0.5;
constexpr double kAllRates[] = {45, 30, 25, 20, 12};  // of the worker, in frames a second
constexpr double kSomeRates[] = {45, 20};
constexpr milliseconds kPatience{20'000};
constexpr milliseconds kSettling{5000};  // is not judged
constexpr milliseconds kTail{1000};
constexpr milliseconds kLook{200};  // between two looks at the queue
constexpr const char* kArrivalJitter = "jitter of arrival";
constexpr std::size_t kPlotPoints = 600;

struct Case {
  const char* cadence;
  double worker_fps;
  [[nodiscard]] std::string name() const {
    return fmt::format("{}, worker at {:.0f} fps", cadence, worker_fps);
  }
  [[nodiscard]] bool is(const char* policy) const { return std::string(policy) == cadence; }
  [[nodiscard]] bool keeps_up() const { return worker_fps >= kInputFps * (1 + kNoise); }
};

struct Seen {
  Published published;
  double most_waiting = 0;
  double timer_deviation = 0;  // of BareTimer, in seconds
};

// Inverts, so that what the worker made can be told from what was passed by.
json Graph(const Case& the_case, std::chrono::duration<double> run) {
  const double served = std::min<double>(the_case.worker_fps, kInputFps) * run.count();
  json graph = GraphOf("FaultPace", {{"seconds", 1.0 / the_case.worker_fps},
                                     {"noise", kNoise},
                                     {"seed", 1},
                                     {"pause_at", static_cast<int>(served / 2)},
                                     {"pause_seconds", kPauseSeconds}});
  graph["4"] = {{"class_type", "ImageInvert"}, {"inputs", {{"image", {"2", 0}}}}};
  graph["3"]["inputs"]["images"] = {"4", 0};
  return graph;
}

// Frames that wait for the worker, beside those it has.
double Waiting(LiveStream& stream) {
  const auto status = stream.ReadStatus();
  if (!status || !status->contains("queues") || !(*status)["queues"].is_object()) return 0;
  const json waiting = (*status)["queues"].value("waiting", json());
  return waiting.is_number() ? waiting.get<double>() : 0;
}

Result<Seen> Watch(House& house, const StampedSource& source, const std::string& in_url,
                   const Case& the_case, milliseconds run) {
  auto stream = LiveStream::Start(house, {.source_channel = in_url,
                                          .graph = Graph(the_case, run + kSettling),
                                          .params = {{"cadence", the_case.cadence}}});
  if (!stream) return stream.error();
  auto watch = OutputWatch::Open((*stream)->output(), kInputFps);
  if (!watch) return watch.error();
  if (!(*watch)->WaitFor(10, kPatience)) {
    return Error{ErrorCode::kTimeout, "the stream publishes nothing"};
  }
  std::this_thread::sleep_for(std::min(kSettling, run));
  const SteadyTime begin = std::chrono::steady_clock::now();
  Seen seen;
  BareTimer timer(std::chrono::duration<double>(1.0 / kInputFps));
  while (std::chrono::steady_clock::now() < begin + run) {
    seen.most_waiting = std::max(seen.most_waiting, Waiting(**stream));
    std::this_thread::sleep_for(kLook);
  }
  seen.timer_deviation = timer.Stop().Deviation();
  std::this_thread::sleep_for(kTail);
  if (const Status failed = source.status(); !failed) return failed.error();
  auto published = (*watch)->Read();
  if (!published) return published.error();
  seen.published = std::move(*published);
  std::erase_if(seen.published.frames,
                [&](const PublishedFrame& frame) { return frame.arrived < begin; });
  return seen;
}

// What this machine does to a thread that has nothing to do but to be even: beside ours.
void ReportTimer(Report& report, const Case& the_case, const Seen& seen) {
  const double fps = EvennessOf(WithoutPause(seen.published.frames)).fps;
  report.Add({.suite = {},
              .scenario = the_case.name(),
              .who = "bare timer",
              .metric = kArrivalJitter,
              .unit = "%",
              .values = {100 * seen.timer_deviation * fps},
              .against = {},
              .goal = {}});
}

double AgeMs(const StampedSource& source, const PublishedFrame& frame) {
  const auto encoded = source.EncodedAt(frame.number);
  if (!encoded) return 0;
  return std::chrono::duration<double, std::milli>(frame.arrived - *encoded).count();
}

void PlotAges(Report& report, const Case& the_case, const StampedSource& source,
              const std::vector<PublishedFrame>& frames) {
  Series series{.scenario = the_case.name(),
                .metric = "age of a published frame",
                .unit = "ms",
                .kind = Series::Kind::kOverTime};
  const std::size_t step = frames.size() / kPlotPoints + 1;
  for (std::size_t i = 0; i < frames.size(); i += step) {
    series.x.push_back(
        std::chrono::duration<double>(frames[i].arrived - frames.front().arrived).count());
    series.y.push_back(AgeMs(source, frames[i]));
  }
  report.Add(std::move(series));
}

Scenario ScenarioOf(const Case& the_case) {
  std::optional<Goal> rate;
  std::optional<Goal> jitter;
  std::optional<Goal> stalls;
  std::optional<Goal> age;
  if (the_case.is("every")) rate = AtLeast(kInputFps - 0.5);
  if (the_case.is("steady")) {
    jitter = AtMost(the_case.keeps_up() ? 1 : 6);
    stalls = AtMost(0);
    age = AtMost(1000 * kServiceP99 / the_case.worker_fps + 2 * 1000.0 / kInputFps);
  }
  return {the_case.name(),
          {{"wrong matches", "count", AtMost(0)},
           {"out of order", "count", AtMost(0)},
           {"largest pts error", "ticks", AtMost(1)},
           {"published", "fps", rate},
           {"jitter of pts", "%", jitter},
           {kArrivalJitter, "%", jitter},
           {"stalls", "count", stalls},
           {"age p50", "ms"},
           {"age p99", "ms", age},
           {"most frames waiting", "count", AtMost(2)},
           {"not made by the worker", "%"}}};
}

Figures Judge(const StampedSource& source, const Seen& seen) {
  const auto& frames = seen.published.frames;
  const auto runs = WithoutPause(frames);
  const Evenness evenness = EvennessOf(runs);
  Distribution ages;
  for (const auto& run : runs) {
    for (const PublishedFrame& frame : run) ages.Add(AgeMs(source, frame));
  }
  const auto passed = std::count_if(frames.begin(), frames.end(),
                                    [](const PublishedFrame& frame) { return !frame.inverted; });
  return {static_cast<double>(seen.published.wrong),
          static_cast<double>(seen.published.out_of_order),
          static_cast<double>(seen.published.pts_error_ticks),
          evenness.fps,
          evenness.pts_jitter_percent,
          evenness.arrival_jitter_percent,
          static_cast<double>(evenness.stalls),
          ages.Percentile(0.5),
          ages.Percentile(0.99),
          seen.most_waiting,
          frames.empty()
              ? 0
              : 100.0 * static_cast<double>(passed) / static_cast<double>(frames.size())};
}

// Of the policies beside the default one, the ends are enough.
std::span<const double> RatesFor(const RunOptions& run, const std::string& cadence) {
  if (run.depth == Depth::kFull && cadence == "steady") return kAllRates;
  return kSomeRates;
}

}  // namespace

Status RunOverload(const RunOptions& run, Report& report) {
  if (const Status ready = demo::InitGStreamer(); !ready) return ready;
  auto house =
      House::Start(run, {"--worker-command", run.Program("framelock-worker") + " --fault-nodes"});
  if (!house) return house.error();
  const std::string in_url = (*house)->Channel(House::NewName("source"));
  auto source = StampedSource::Start({.url = in_url, .fps = kInputFps, .gop_frames = kInputFps});
  if (!source) return source.error();
  for (const char* cadence : {"steady", "every", "as-ready"}) {
    for (const double fps : RatesFor(run, cadence)) {
      const Case the_case{cadence, fps};
      if (!run.Wants(the_case.name())) continue;
      TellProgress(the_case.name());
      const auto usual = std::chrono::seconds(the_case.is("steady") ? 120 : 30);
      const auto seen = Watch(**house, **source, in_url, the_case, run.RunTime(usual));
      if (!seen) return Error{seen.error().code, the_case.name() + ": " + seen.error().message};
      ScenarioOf(the_case).ReportOnce(report, Judge(**source, *seen));
      ReportTimer(report, the_case, *seen);
      PlotAges(report, the_case, **source, seen->published.frames);
      if (run.depth == Depth::kSmoke) break;
    }
  }
  return {};
}

}  // namespace framelock::bench
