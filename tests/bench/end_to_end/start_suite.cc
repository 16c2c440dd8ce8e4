// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <thread>

#include "examples/channel_elements.h"
#include "tests/bench/distribution.h"
#include "tests/bench/end_to_end/live_stream.h"
#include "tests/bench/end_to_end/output_watch.h"
#include "tests/bench/end_to_end/scenario.h"
#include "tests/bench/end_to_end/stamped_source.h"
#include "tests/bench/end_to_end/suites.h"

namespace framelock::bench {

namespace {

using std::chrono::milliseconds;

constexpr int kFps = 30;
constexpr std::size_t kFrames = 15;  // that are looked at after a start
constexpr milliseconds kPatience{20'000};
constexpr milliseconds kReaderWaits{100};  // until it does
constexpr milliseconds kPhase{137};        // between two starts: any place within a second's GOP

struct Begin {
  double answered_ms = 0;  // POST to its answer
  double first_ms = 0;     // POST to the last packet of the first processed frame
};

double Milliseconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

// The frame that ours has made is inverted; a peer does what it does.
Result<Begin> StartOnce(House& house, const std::string& in_url) {
  const std::string name = House::NewName("start");
  if (const Status created = house.CreateChannel(name + "-out"); !created) return created.error();
  auto watch = OutputWatch::Open(LiveStream::OutputOf(house, name), kFps);
  if (!watch) return watch.error();
  std::this_thread::sleep_for(kReaderWaits);
  const SteadyTime asked = std::chrono::steady_clock::now();
  auto stream = LiveStream::Start(
      house, {.source_channel = in_url, .graph = InvertGraph(), .fps = kFps, .name = name});
  if (!stream) return stream.error();
  Begin begin{.answered_ms = Milliseconds(std::chrono::steady_clock::now() - asked)};
  if (!(*watch)->WaitFor(kFrames, kPatience)) {
    return Error{ErrorCode::kTimeout, "the stream publishes nothing"};
  }
  const auto published = (*watch)->Read();
  if (!published) return published.error();
  const auto first = std::find_if(published->frames.begin(), published->frames.end(),
                                  [&](const PublishedFrame& frame) {
                                    return frame.inverted || house.owner() == House::Owner::kPeer;
                                  });
  if (first == published->frames.end()) {
    return Error{ErrorCode::kTimeout, "no frame was processed"};
  }
  begin.first_ms = Milliseconds(first->arrived - asked);
  return begin;
}

using Prepare = Status (*)(House&);

// Many starts as one measurement: their percentiles.
Result<Figures> Measure(const RunOptions& run, House& house, const std::string& in_url,
                        Prepare prepare) {
  Distribution answered;
  Distribution first;
  for (int i = 0; i < run.Choose(1, 8, 20); ++i) {
    if (house.owner() == House::Owner::kOurs) {
      if (const Status prepared = prepare(house); !prepared) return prepared.error();
    }
    const auto begin = StartOnce(house, in_url);
    if (!begin) return begin.error();
    answered.Add(begin->answered_ms);
    first.Add(begin->first_ms);
    std::this_thread::sleep_for(kPhase);
  }
  return Figures{first.Percentile(0.5), first.Percentile(0.99), answered.Percentile(0.5)};
}

Scenario ScenarioOf(const char* name, double most_ms) {
  return {name,
          {{"first processed frame p50", "ms", AtMost(most_ms)},
           {"first processed frame p99", "ms", AtMost(most_ms)},
           {"POST answered p50", "ms"}}};
}

}  // namespace

Status RunStart(const RunOptions& run, Report& report) {
  if (const Status ready = demo::InitGStreamer(); !ready) return ready;
  Result<Houses> houses = Houses::Open(run);
  if (!houses) return houses.error();
  const std::string in_url = houses->ours->Channel(House::NewName("source"));
  auto source = StampedSource::Start({.url = in_url, .fps = kFps, .gop_frames = kFps});
  if (!source) return source.error();
  RunOptions once = run;
  if (!run.pairs) once.pairs = 1;  // each is many starts
  const auto starts = [&](Prepare prepare) {
    return [&run, &in_url, prepare](House& house) { return Measure(run, house, in_url, prepare); };
  };
  const Status warm =
      ScenarioOf("a worker waits", 150).Repeat(once, *houses, report, starts([](House& house) {
                                                 return house.WaitForSpareWorker();
                                               }));
  if (!warm) return warm;
  houses->peer.reset();  // it is not ours to start anew
  return ScenarioOf("framelockd has just started", 250)
      .Repeat(once, *houses, report, starts([](House& house) { return house.RestartDaemon(); }));
}

}  // namespace framelock::bench
