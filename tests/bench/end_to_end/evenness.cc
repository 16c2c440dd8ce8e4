// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/end_to_end/evenness.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "tests/bench/distribution.h"

namespace framelock::bench {

namespace {

constexpr double kStall = 1.5;  // of the median interval

double Seconds(SteadyTime from, SteadyTime to) {
  return std::chrono::duration<double>(to - from).count();
}

double JitterPercent(const Distribution& intervals) {
  const double mean = intervals.Mean();
  return mean == 0 ? 0 : 100 * intervals.Deviation() / mean;
}

}  // namespace

std::vector<std::vector<PublishedFrame>> WithoutPause(const std::vector<PublishedFrame>& frames,
                                                      const Pause& pause) {
  using Frame = std::vector<PublishedFrame>::const_iterator;
  double longest = pause.least_seconds;
  Frame made = frames.end();  // the last one that the worker made
  Frame before = frames.end();
  Frame behind = frames.end();
  for (Frame frame = frames.begin(); frame != frames.end(); ++frame) {
    if (!frame->inverted) continue;
    if (made != frames.end() && Seconds(made->arrived, frame->arrived) > longest) {
      longest = Seconds(made->arrived, frame->arrived);
      before = made;
      behind = frame;
    }
    made = frame;
  }
  if (before == frames.end()) return {frames};
  const Frame calm = std::find_if(behind, frames.end(), [&](const PublishedFrame& frame) {
    return Seconds(behind->arrived, frame.arrived) >= pause.adapting_seconds;
  });
  return {{frames.begin(), before + 1}, {calm, frames.end()}};
}

Evenness EvennessOf(const std::vector<std::vector<PublishedFrame>>& runs) {
  Distribution arrival;
  Distribution pts;
  std::vector<double> intervals;
  for (const auto& run : runs) {
    for (std::size_t i = 1; i < run.size(); ++i) {
      intervals.push_back(Seconds(run[i - 1].arrived, run[i].arrived));
      pts.Add(static_cast<double>(run[i].pts_ticks - run[i - 1].pts_ticks));
    }
  }
  arrival.Add(intervals);
  const double limit = kStall * Median(intervals);
  Evenness evenness{.pts_jitter_percent = JitterPercent(pts),
                    .arrival_jitter_percent = JitterPercent(arrival)};
  if (!intervals.empty()) evenness.fps = 1.0 / arrival.Mean();
  evenness.stalls = static_cast<std::uint64_t>(std::count_if(
      intervals.begin(), intervals.end(), [&](double interval) { return interval > limit; }));
  return evenness;
}

}  // namespace framelock::bench
