// SPDX-License-Identifier: Apache-2.0
#include <signal.h>

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
constexpr int kStreams = 4;
constexpr milliseconds kPatience{20'000};
constexpr milliseconds kCalm{5000};   // before a fault
constexpr milliseconds kAfter{5000};  // behind it, in which all must be well again

struct Fault {
  const char* name;
  int signal;
  double most_ms;  // until the worker's frames are there again
};
constexpr Fault kFaults[] = {{"worker killed", SIGKILL, 500},
                             {"worker aborts", SIGABRT, 500},
                             {"worker ends", SIGTERM, 500},
                             {"worker hangs", SIGSTOP, 1500}};

struct Watched {
  std::unique_ptr<LiveStream> stream;
  std::unique_ptr<OutputWatch> output;
};

double Milliseconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

Result<Watched> Open(House& house, const std::string& in_url) {
  auto stream =
      LiveStream::Start(house, {.source_channel = in_url, .graph = InvertGraph(), .fps = kFps});
  if (!stream) return stream.error();
  auto output = OutputWatch::Open((*stream)->output(), kFps);
  if (!output) return output.error();
  if (!(*output)->WaitFor(kFps, kPatience)) {
    return Error{ErrorCode::kTimeout, "a stream publishes nothing"};
  }
  return Watched{std::move(*stream), std::move(*output)};
}

Status Hit(LiveStream& victim, int signal) {
  const auto status = victim.ReadStatus();
  if (!status) return status.error();
  const auto pid = (*status)["worker"]["pid"];
  if (!pid.is_number()) return Error{ErrorCode::kUnavailable, "the stream has no worker"};
  if (::kill(pid.get<pid_t>(), signal) != 0) return ErrnoError("hit the worker");
  return {};
}

// From the fault to the first of half a second of frames that the worker made with none missing in
// between, and behind which none is passed by.
std::optional<double> RecoveryMs(const std::vector<PublishedFrame>& frames, SteadyTime fault) {
  constexpr int kGood = kFps / 2;
  const PublishedFrame* first = nullptr;
  int good = 0;
  std::optional<double> recovery;
  for (const PublishedFrame& frame : frames) {
    if (frame.arrived <= fault) continue;
    if (!frame.inverted) {
      first = nullptr;
      recovery.reset();
      continue;
    }
    if (recovery) continue;
    if (first == nullptr || frame.number != first->number + good) {
      first = &frame;
      good = 0;
    }
    if (++good == kGood) recovery = Milliseconds(first->arrived - fault);
  }
  return recovery;
}

Distribution IntervalsMs(const std::vector<PublishedFrame>& frames, SteadyTime from,
                         SteadyTime to) {
  Distribution intervals;
  for (std::size_t i = 1; i < frames.size(); ++i) {
    if (frames[i - 1].arrived < from || frames[i].arrived > to) continue;
    intervals.Add(Milliseconds(frames[i].arrived - frames[i - 1].arrived));
  }
  return intervals;
}

Result<Figures> Measure(std::vector<Watched>& streams, std::size_t victim, const Fault& fault) {
  std::this_thread::sleep_for(kCalm);
  const SteadyTime hit = std::chrono::steady_clock::now();
  if (const Status done = Hit(*streams[victim].stream, fault.signal); !done) return done.error();
  std::this_thread::sleep_for(kAfter);
  Figures figures(4);
  double worst_ratio = 0;
  double worst_interval = 0;
  for (std::size_t i = 0; i < streams.size(); ++i) {
    const auto published = streams[i].output->Read();
    if (!published) return published.error();
    Distribution after = IntervalsMs(published->frames, hit, hit + kAfter);
    if (i == victim) {
      figures[0] = RecoveryMs(published->frames, hit);
      figures[1] = after.Percentile(1);
      continue;
    }
    Distribution before = IntervalsMs(published->frames, hit - kCalm, hit);
    worst_ratio = std::max(worst_ratio, after.Percentile(0.99) / before.Percentile(0.99));
    worst_interval = std::max(worst_interval, after.Percentile(1));
  }
  if (!figures[0]) return Error{ErrorCode::kTimeout, "the worker's frames did not come again"};
  figures[2] = worst_interval;
  figures[3] = worst_ratio;
  return figures;
}

}  // namespace

Status RunRecovery(const RunOptions& run, Report& report) {
  if (const Status ready = demo::InitGStreamer(); !ready) return ready;
  Houses houses;
  auto house = House::Start(run, {});
  if (!house) return house.error();
  houses.ours = std::move(*house);
  const std::string in_url = houses.ours->Channel(House::NewName("source"));
  auto source = StampedSource::Start({.url = in_url, .fps = kFps, .gop_frames = kFps});
  if (!source) return source.error();
  std::vector<Watched> streams;
  for (int i = 0; i < kStreams; ++i) {
    auto opened = Open(*houses.ours, in_url);
    if (!opened) return opened.error();
    streams.push_back(std::move(*opened));
  }
  RunOptions repeated = run;
  if (run.depth == Depth::kQuick && !run.pairs) repeated.pairs = 1;
  std::size_t victim = 0;  // in turn, so that no stream is restarted too often
  for (const Fault& fault : kFaults) {
    Scenario scenario(fault.name, {{"fault to first good frame", "ms", AtMost(fault.most_ms)},
                                   {"longest interval of the stream", "ms", AtMost(500)},
                                   {"longest interval of the others", "ms"},
                                   {"others' p99 interval over before", "ratio", AtMost(1.1)}});
    const Status measured = scenario.Repeat(repeated, houses, report, [&](House&) {
      return Measure(streams, victim++ % streams.size(), fault);
    });
    if (!measured) return measured;
    if (run.depth == Depth::kSmoke) break;
  }
  return {};
}

}  // namespace framelock::bench
