// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <map>
#include <thread>

#include "examples/channel_elements.h"
#include "tests/bench/distribution.h"
#include "tests/bench/end_to_end/frame_arrivals.h"
#include "tests/bench/end_to_end/frame_log.h"
#include "tests/bench/end_to_end/live_stream.h"
#include "tests/bench/end_to_end/scenario.h"
#include "tests/bench/end_to_end/stamped_source.h"
#include "tests/bench/end_to_end/suites.h"

namespace framelock::bench {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds kPatience{20'000};  // for the first pictures
constexpr milliseconds kWarmUp{3000};
constexpr std::size_t kWithoutUs = 4;  // of the figures
constexpr milliseconds kTail{1000};    // for what is still under way

struct Case {
  const char* name;
  int size;
  int fps;
  StampedSource::Encoder encoder;
  double added_p50_ms;
  std::optional<double> added_p99_ms;
};

constexpr Case kCases[] = {
    {"512x512, 30 fps", 512, 30, StampedSource::Encoder::kGst, 10, 25},
    {"512x512, 60 fps", 512, 60, StampedSource::Encoder::kGst, 10, 25},
    {"1024x1024, 30 fps", 1024, 30, StampedSource::Encoder::kGst, 25, std::nullopt},
    {"512x512, 30 fps, from ffmpeg", 512, 30, StampedSource::Encoder::kFfmpeg, 10, 25},
};

using ByNumber = std::map<std::int64_t, SteadyTime>;

double Milliseconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

Result<ByNumber> LastPackets(const FrameArrivals& arrivals, const std::string& url, int fps) {
  const Result<PtsClock> clock = PtsClock::Find(url, fps, kPatience);
  if (!clock) return clock.error();
  ByNumber last;
  for (const FrameArrivals::Arrival& frame : arrivals.All()) {
    last[clock->NumberOf(frame.pts_ticks)] = frame.last;
  }
  return last;
}

struct Span {
  std::int64_t first, last;  // numbers of frames
};

// Both channels are read at the same time, so that the machine hurts both ways alike.
Figures Compare(const StampedSource& source, const ByNumber& in, const ByNumber& out,
                const Span& span) {
  Distribution added;
  Distribution alone;
  Distribution whole;
  double lost = 0;
  for (std::int64_t number = span.first; number <= span.last; ++number) {
    const auto came = in.find(number);
    const auto left = out.find(number);
    const auto encoded = source.EncodedAt(number);
    if (came == in.end() || !encoded) continue;
    if (left == out.end()) {
      ++lost;
      continue;
    }
    added.Add(Milliseconds(left->second - came->second));
    alone.Add(Milliseconds(came->second - *encoded));
    whole.Add(Milliseconds(left->second - *encoded));
  }
  return {added.Percentile(0.5),  added.Percentile(0.99), whole.Percentile(0.5),
          whole.Percentile(0.99), alone.Percentile(0.5),  lost};
}

Result<Figures> Measure(const RunOptions& run, House& house, const Case& the_case) {
  const std::string in_url = house.Channel(House::NewName("source"));
  auto source = StampedSource::Start({.url = in_url,
                                      .width = the_case.size,
                                      .height = the_case.size,
                                      .fps = the_case.fps,
                                      .gop_frames = the_case.fps},
                                     the_case.encoder);
  if (!source) return source.error();
  auto in = FrameArrivals::Open(in_url);
  if (!in) return in.error();
  if (!(*in)->WaitFor(2, kPatience)) {
    return Error{ErrorCode::kTimeout, "the source publishes nothing"};
  }
  Span beginning{.first = (*source)->last_number() + 1, .last = 0};
  auto stream = LiveStream::Start(house, {.source_channel = in_url,
                                          .width = the_case.size,
                                          .height = the_case.size,
                                          .fps = the_case.fps});
  if (!stream) return stream.error();
  auto out = FrameArrivals::Open((*stream)->output());
  if (!out) return out.error();
  if (!(*out)->WaitFor(10, kPatience)) {
    return Error{ErrorCode::kTimeout, "the stream publishes nothing"};
  }
  std::this_thread::sleep_for(kWarmUp);
  beginning.last = (*source)->last_number();
  Span span{.first = beginning.last + 1, .last = 0};
  std::this_thread::sleep_for(run.RunTime(std::chrono::seconds(10)));
  span.last = (*source)->last_number();
  std::this_thread::sleep_for(kTail);
  const Result<ByNumber> came = LastPackets(**in, in_url, the_case.fps);
  if (!came) return came.error();
  const Result<ByNumber> left = LastPackets(**out, (*stream)->output(), the_case.fps);
  if (!left) return left.error();
  Figures figures = Compare(**source, *came, *left, span);
  figures.push_back(Compare(**source, *came, *left, beginning).front());
  // The way without anybody is ours to tell.
  if (house.owner() == House::Owner::kPeer) figures[kWithoutUs].reset();
  return figures;
}

Scenario ScenarioOf(const Case& the_case) {
  std::optional<Goal> p99;
  if (the_case.added_p99_ms) p99 = AtMost(*the_case.added_p99_ms);
  return {the_case.name,
          {{"added p50", "ms", AtMost(the_case.added_p50_ms)},
           {"added p99", "ms", p99},
           {"picture to last packet p50", "ms"},
           {"picture to last packet p99", "ms"},
           {"without us p50", "ms"},
           {"frames lost", "count", AtMost(0)},
           {"added p50, first seconds", "ms"}}};
}

}  // namespace

Status RunLatency(const RunOptions& run, Report& report) {
  if (const Status ready = demo::InitGStreamer(); !ready) return ready;
  const Result<Houses> houses = Houses::Open(run);
  if (!houses) return houses.error();
  for (const Case& the_case : kCases) {
    if (!run.Wants(the_case.name)) continue;
    const Status measured = ScenarioOf(the_case).Repeat(
        run, *houses, report,
        [&](House& house) -> Result<Figures> { return Measure(run, house, the_case); });
    const bool absent = !measured.ok() && measured.error().code == ErrorCode::kNotFound &&
                        the_case.encoder == StampedSource::Encoder::kFfmpeg;
    if (!measured.ok() && !absent) return measured;
  }
  return {};
}

}  // namespace framelock::bench
