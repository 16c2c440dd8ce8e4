// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/end_to_end/output_watch.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <utility>

namespace framelock::bench {

namespace {

constexpr std::int64_t kMaxPtsError = 1;  // beyond it the frame is another one's

}  // namespace

Result<std::unique_ptr<OutputWatch>> OutputWatch::Open(const std::string& url, int fps,
                                                       FrameLog::ReadMark read_mark) {
  auto arrivals = FrameArrivals::Open(url);
  if (!arrivals) return arrivals.error();
  auto log = FrameLog::Open(url, std::move(read_mark));
  if (!log) return log.error();
  return std::unique_ptr<OutputWatch>(new OutputWatch(fps, std::move(*arrivals), std::move(*log)));
}

Result<Published> OutputWatch::Read() const {
  const std::vector<FrameLog::Entry> entries = log_->All();
  const std::optional<PtsClock> clock = PtsClock::Settle(entries, fps_);
  if (!clock) return Error{ErrorCode::kUnavailable, "too few frames were published"};
  std::map<std::int64_t, SteadyTime> arrived;
  for (const FrameArrivals::Arrival& frame : arrivals_->All()) {
    arrived[frame.pts_ticks] = frame.last;
  }
  Published published;
  for (const FrameLog::Entry& entry : entries) {
    const auto arrival = arrived.find(entry.pts_ticks);
    if (arrival == arrived.end()) continue;
    const std::int64_t error = std::abs(clock->ErrorOf(entry));
    if (!entry.number || error > kMaxPtsError) {
      ++published.wrong;
      continue;
    }
    published.pts_error_ticks = std::max(published.pts_error_ticks, error);
    auto& frames = published.frames;
    if (!frames.empty() && entry.pts_ticks <= frames.back().pts_ticks) ++published.out_of_order;
    frames.push_back({.number = *entry.number,
                      .pts_ticks = entry.pts_ticks,
                      .arrived = arrival->second,
                      .inverted = entry.inverted,
                      .mark = entry.mark});
  }
  return published;
}

}  // namespace framelock::bench
