// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <thread>

#include "examples/channel_elements.h"
#include "tests/bench/distribution.h"
#include "tests/bench/end_to_end/frame_arrivals.h"
#include "tests/bench/end_to_end/frame_log.h"
#include "tests/bench/end_to_end/live_stream.h"
#include "tests/bench/end_to_end/scenario.h"
#include "tests/bench/end_to_end/stamped_source.h"
#include "tests/bench/end_to_end/suites.h"
#include "tests/bench/progress.h"

namespace framelock::bench {

namespace {

using std::chrono::milliseconds;

constexpr int kFps = 30;
constexpr double kLeastFps = 29.5;
constexpr double kMostAgeMs = 100;  // p99
constexpr int kMostStreams = 64;
constexpr int kWanted = 16;
constexpr milliseconds kPatience{20'000};
constexpr milliseconds kSettling{3000};
constexpr int kLooks = 2;  // the better one counts: a hiccup of the machine is not the end

struct Running {
  std::unique_ptr<LiveStream> stream;
  std::unique_ptr<FrameArrivals> output;
  PtsClock clock;
};

Result<Running> Open(House& house, const std::string& in_url) {
  auto stream = LiveStream::Start(house, {.source_channel = in_url, .fps = kFps});
  if (!stream) return stream.error();
  auto output = FrameArrivals::Open((*stream)->output());
  if (!output) return output.error();
  const auto clock = PtsClock::Find((*stream)->output(), kFps, kPatience);
  if (!clock) return clock.error();
  return Running{std::move(*stream), std::move(*output), *clock};
}

struct Quality {
  double least_fps = kFps;  // of the slowest stream
  double one_frame = 0;     // as a rate: the window's ends may cut one off
  double age_p99_ms = 0;    // of all frames of all streams
  [[nodiscard]] bool good() const {
    return least_fps + one_frame >= kLeastFps && age_p99_ms <= kMostAgeMs;
  }
};

Quality QualityOf(const StampedSource& source, const std::vector<Running>& streams,
                  milliseconds time) {
  const SteadyTime begin = std::chrono::steady_clock::now();
  std::this_thread::sleep_for(time);
  const SteadyTime end = std::chrono::steady_clock::now();
  Quality quality;
  quality.one_frame = 1 / std::chrono::duration<double>(end - begin).count();
  Distribution ages;
  for (const Running& running : streams) {
    double frames = 0;
    for (const FrameArrivals::Arrival& frame : running.output->All()) {
      if (frame.last < begin || frame.last >= end) continue;
      ++frames;
      const auto encoded = source.EncodedAt(running.clock.NumberOf(frame.pts_ticks));
      if (encoded) {
        ages.Add(std::chrono::duration<double, std::milli>(frame.last - *encoded).count());
      }
    }
    quality.least_fps =
        std::min(quality.least_fps, frames / std::chrono::duration<double>(end - begin).count());
  }
  quality.age_p99_ms = ages.Percentile(0.99);
  return quality;
}

}  // namespace

Status RunDensity(const RunOptions& run, Report& report) {
  if (const Status ready = demo::InitGStreamer(); !ready) return ready;
  auto house = House::Start(run, {"--max-streams", std::to_string(kMostStreams)});
  if (!house) return house.error();
  const std::string in_url = (*house)->Channel(House::NewName("source"));
  // One source for all: its encoding is not what is measured.
  auto source = StampedSource::Start({.url = in_url, .fps = kFps, .gop_frames = kFps});
  if (!source) return source.error();
  const int most = run.depth == Depth::kSmoke ? 2 : kMostStreams;
  std::vector<Running> streams;
  Quality last;
  int held = 0;
  Series series{.scenario = "512x512, 30 fps", .metric = "age p99 by streams", .unit = "ms"};
  series.kind = Series::Kind::kOverTime;
  while (held < most) {
    TellProgress(std::to_string(held + 1) + " streams");
    auto opened = Open(**house, in_url);
    if (!opened) break;  // too slow to start: as bad as too slow to run
    streams.push_back(std::move(*opened));
    std::this_thread::sleep_for(kSettling);
    Quality quality;
    for (int look = 0; look < kLooks && (look == 0 || !quality.good()); ++look) {
      quality = QualityOf(**source, streams, run.RunTime(std::chrono::seconds(5)));
    }
    series.x.push_back(static_cast<double>(streams.size()));
    series.y.push_back(quality.age_p99_ms);
    if (!quality.good() && run.depth != Depth::kSmoke) break;
    last = quality;
    ++held;
  }
  if (held == 0 && streams.empty()) return Error{ErrorCode::kUnavailable, "no stream runs"};
  Scenario("512x512, 30 fps", {{"streams held", "count", AtLeast(kWanted)},
                               {"slowest of them", "fps"},
                               {"age p99 of them", "ms"}})
      .ReportOnce(report, {static_cast<double>(held), last.least_fps, last.age_p99_ms});
  report.Add(std::move(series));
  return {};
}

}  // namespace framelock::bench
