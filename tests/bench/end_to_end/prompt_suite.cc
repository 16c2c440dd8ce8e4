// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <thread>

#include "examples/channel_elements.h"
#include "tests/bench/distribution.h"
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

constexpr int kFps = 30;
constexpr milliseconds kPatience{20'000};
constexpr milliseconds kTail{1000};
constexpr double kIntervalMs = 1000.0 / kFps;
constexpr double kPassageMs = 25;  // what the stream itself may add

// A prompt paints its number into the picture: two grey squares, a digit of base 16 each.
constexpr int kSide = 64;
constexpr int kTop = 448;
constexpr int kDarkest = 8;
constexpr int kStep = 15;
constexpr int kMaxMark = 255;

json Square(int digit) {
  const int grey = kDarkest + kStep * digit;
  return {{"class_type", "EmptyImage"},
          {"inputs",
           {{"width", kSide}, {"height", kSide}, {"batch_size", 1}, {"color", grey * 0x010101}}}};
}

json Paste(const char* picture, const char* square, int x) {
  return {{"class_type", "ImageCompositeMasked"},
          {"inputs",
           {{"destination", {picture, 0}},
            {"source", {square, 0}},
            {"x", x},
            {"y", kTop},
            {"resize_source", false}}}};
}

json MarkGraph(int mark) {
  return {{"1", {{"class_type", "LoadTensor"}, {"inputs", json::object()}}},
          {"2", Square(mark / 16)},
          {"3", Square(mark % 16)},
          {"4", Paste("1", "2", 0)},
          {"5", Paste("4", "3", kSide)},
          {"6", {{"class_type", "SaveTensor"}, {"inputs", {{"images", {"5", 0}}}}}}};
}

int ReadDigit(const demo::PictureView& picture, int left) {
  long sum = 0;
  for (int y = kTop + kSide / 4; y < kTop + 3 * kSide / 4; ++y) {
    for (int x = left + kSide / 4; x < left + 3 * kSide / 4; ++x) sum += picture.at(x, y)[1];
  }
  const double grey = static_cast<double>(sum) / (kSide / 2) / (kSide / 2);
  return static_cast<int>(std::clamp(std::lround((grey - kDarkest) / kStep), 0L, 15L));
}

int ReadMark(const demo::PictureView& picture) {
  return 16 * ReadDigit(picture, 0) + ReadDigit(picture, kSide);
}

struct Update {
  int mark;
  SteadyTime asked, answered;
};

// One update after the other at an even pace; slower when answers are.
Result<std::vector<Update>> UpdateEach(House& house, const LiveStream& stream, int first, int count,
                                       milliseconds pace) {
  std::vector<Update> updates;
  SteadyTime next = std::chrono::steady_clock::now();
  for (int mark = first; mark < first + count; ++mark) {
    std::this_thread::sleep_until(next);
    Update update{.mark = mark, .asked = std::chrono::steady_clock::now(), .answered = {}};
    const auto answer = house.api().Ask("POST", "/stream/" + stream.name() + "/update-prompts",
                                        {{"prompt", MarkGraph(mark).dump()}});
    if (!answer) return answer.error();
    update.answered = std::chrono::steady_clock::now();
    updates.push_back(update);
    next += pace;
  }
  return updates;
}

struct Effect {
  Distribution to_first_frame_ms;  // of updates that a frame shows
  double shown = 0;                // such updates
  double stale = 0;                // pictures taken after the answer that show an older prompt
  double backwards = 0;            // frames that show an older prompt than the frame before
};

Effect EffectOf(const StampedSource& source, const std::vector<PublishedFrame>& frames,
                const std::vector<Update>& updates) {
  Effect effect;
  std::map<int, SteadyTime> first_shown;
  int newest = 0;
  for (const PublishedFrame& frame : frames) {
    first_shown.try_emplace(frame.mark, frame.arrived);
    if (frame.mark < newest) ++effect.backwards;
    newest = std::max(newest, frame.mark);
    const auto taken = source.EncodedAt(frame.number);
    const auto is_answered = [&](const Update& update) {
      return taken && update.answered <= *taken && frame.mark < update.mark;
    };
    if (std::any_of(updates.begin(), updates.end(), is_answered)) ++effect.stale;
  }
  for (const Update& update : updates) {
    const auto shown = first_shown.find(update.mark);
    if (shown == first_shown.end()) continue;
    ++effect.shown;
    effect.to_first_frame_ms.Add(
        std::chrono::duration<double, std::milli>(shown->second - update.asked).count());
  }
  return effect;
}

struct Case {
  const char* name;
  int first, count;  // marks
  milliseconds pace;
};
constexpr Case kSteady{"an update each half second", 1, 40, milliseconds(500)};
constexpr Case kBurst{"100 updates in a second", 101, 100, milliseconds(10)};
static_assert(kBurst.first + kBurst.count - 1 <= kMaxMark);

Scenario ScenarioOf(const Case& the_case) {
  return {the_case.name,
          {{"update to its first frame p50", "ms"},
           {"update to its first frame p99", "ms", AtMost(kIntervalMs + kPassageMs)},
           {"stale frames", "count", AtMost(0)},
           {"frames of an older prompt again", "count", AtMost(0)},
           {"updates answered", "per s"},
           {"updates that a frame shows", "count"},
           {"newest one is shown", "count", AtLeast(1)}}};
}

Result<Figures> Measure(House& house, const StampedSource& source, const LiveStream& stream,
                        const OutputWatch& watch, const Case& the_case) {
  const auto updates = UpdateEach(house, stream, the_case.first, the_case.count, the_case.pace);
  if (!updates) return updates.error();
  std::this_thread::sleep_for(kTail);
  const auto published = watch.Read();
  if (!published) return published.error();
  Effect effect = EffectOf(source, published->frames, *updates);
  const std::chrono::duration<double> took = updates->back().answered - updates->front().asked;
  const bool newest = !published->frames.empty() &&
                      published->frames.back().mark == the_case.first + the_case.count - 1;
  return Figures{effect.to_first_frame_ms.Percentile(0.5),
                 effect.to_first_frame_ms.Percentile(0.99),
                 effect.stale,
                 effect.backwards,
                 static_cast<double>(updates->size()) / took.count(),
                 effect.shown,
                 newest ? 1 : 0};
}

}  // namespace

Status RunPrompt(const RunOptions& run, Report& report) {
  if (const Status ready = demo::InitGStreamer(); !ready) return ready;
  auto house = House::Start(run, {});
  if (!house) return house.error();
  const std::string in_url = (*house)->Channel(House::NewName("source"));
  auto source = StampedSource::Start({.url = in_url, .fps = kFps, .gop_frames = kFps});
  if (!source) return source.error();
  auto stream =
      LiveStream::Start(**house, {.source_channel = in_url, .graph = MarkGraph(0), .fps = kFps});
  if (!stream) return stream.error();
  auto watch = OutputWatch::Open((*stream)->output(), kFps, ReadMark);
  if (!watch) return watch.error();
  if (!(*watch)->WaitFor(2 * kFps, kPatience)) {
    return Error{ErrorCode::kTimeout, "the stream publishes nothing"};
  }
  for (Case the_case : {kSteady, kBurst}) {
    if (run.depth == Depth::kSmoke) the_case.count = 2;
    TellProgress(the_case.name);
    const auto figures = Measure(**house, **source, **stream, **watch, the_case);
    if (!figures) return Error{figures.error().code, figures.error().message};
    ScenarioOf(the_case).ReportOnce(report, *figures);
  }
  return {};
}

}  // namespace framelock::bench
