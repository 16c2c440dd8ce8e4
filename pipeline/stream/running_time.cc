// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stream/running_time.h"

namespace framelock::stream {

std::optional<std::chrono::nanoseconds> RunningTime(GstPad* pad, const GstBuffer* buffer) {
  if (!GST_BUFFER_PTS_IS_VALID(buffer)) return std::nullopt;
  GstEvent* event = gst_pad_get_sticky_event(pad, GST_EVENT_SEGMENT, 0);
  if (event == nullptr) return std::nullopt;
  const GstSegment* segment = nullptr;
  gst_event_parse_segment(event, &segment);
  const guint64 time =
      gst_segment_to_running_time(segment, GST_FORMAT_TIME, GST_BUFFER_PTS(buffer));
  gst_event_unref(event);
  if (!GST_CLOCK_TIME_IS_VALID(time)) return std::nullopt;
  return std::chrono::nanoseconds(time);
}

}  // namespace framelock::stream
