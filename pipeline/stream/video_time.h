// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gst/gst.h>

#include <chrono>
#include <optional>

#include "pipeline/core/ts_stamps.h"

namespace framelock::stream {

/// Where the video is, so that another track of the same input gets its running times in the very
/// way the video does: by the video's segment, and on its side of a wrap. Not thread-safe.
class VideoTime {
 public:
  using Time = std::chrono::nanoseconds;

  /// An access unit of the video.
  void Follow(const GstSegment& segment, Time pts) {
    segment_ = segment;
    last_ = pts;
  }

  /// The running time of what another track has at `pts`; unset before the first access unit and
  /// for times outside the video's segment.
  [[nodiscard]] std::optional<Time> RunningTime(Time pts) const {
    if (!last_) return std::nullopt;
    const Time near = pts + Wraps(*last_ - pts);
    if (near < Time(0)) return std::nullopt;
    const GstClockTime at = gst_segment_to_running_time(&segment_, GST_FORMAT_TIME,
                                                        static_cast<GstClockTime>(near.count()));
    if (!GST_CLOCK_TIME_IS_VALID(at)) return std::nullopt;
    return Time(at);
  }

 private:
  // The whole wraps in a distance, rounded to the nearest.
  static Time Wraps(Time distance) {
    constexpr TsTicks kWrap{TsStamp::kRange};
    const auto ticks = std::chrono::duration_cast<TsTicks>(distance);
    const auto wraps = (ticks + (ticks < TsTicks(0) ? -kWrap / 2 : kWrap / 2)) / kWrap;
    return std::chrono::duration_cast<Time>(wraps * kWrap);
  }

  GstSegment segment_{};
  std::optional<Time> last_;
};

}  // namespace framelock::stream
