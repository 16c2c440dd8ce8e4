// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stream/unit_times.h"

#include <chrono>
#include <optional>

namespace framelock::stream {

namespace {

// Decoders hand such a meta on to the picture; DECODE_ONLY they do not heed.
GstCaps* Mark() {
  static GstCaps* const mark = gst_caps_new_empty_simple("timestamp/x-framelock-uncertain");
  return mark;
}

}  // namespace

void UnitTimes::Unwrap(GstBuffer* unit) {
  for (GstClockTime* time : {&GST_BUFFER_DTS(unit), &GST_BUFFER_PTS(unit)}) {
    if (!GST_CLOCK_TIME_IS_VALID(*time)) continue;
    const auto unwrapped = unwrap_(std::chrono::nanoseconds(*time));
    if (unwrapped.count() >= 0) *time = static_cast<GstClockTime>(unwrapped.count());
  }
}

UnitTimes::Time UnitTimes::Infer(GstBuffer* unit) {
  if (GST_BUFFER_PTS_IS_VALID(unit)) {
    fill_.Push(std::chrono::nanoseconds(GST_BUFFER_PTS(unit)));
    return Time::kOwn;
  }
  const auto pts = fill_.Push(std::nullopt);
  if (!pts) {
    Hide(unit);
    return Time::kNone;
  }
  GST_BUFFER_PTS(unit) = static_cast<GstClockTime>(pts->count());
  return Time::kInferred;
}

void UnitTimes::LeaveRoom(GstPadProbeInfo* info, std::chrono::nanoseconds interval) {
  GstEvent* event = GST_PAD_PROBE_INFO_EVENT(info);
  if (GST_EVENT_TYPE(event) != GST_EVENT_SEGMENT) return;
  GstSegment segment;
  gst_event_copy_segment(event, &segment);
  if (segment.base == 0) return;
  segment.base += static_cast<guint64>(interval.count());
  GST_PAD_PROBE_INFO_DATA(info) = gst_event_new_segment(&segment);
  gst_event_unref(event);
}

void UnitTimes::Hide(GstBuffer* unit) {
  gst_buffer_add_reference_timestamp_meta(unit, Mark(), 0, GST_CLOCK_TIME_NONE);
}

bool UnitTimes::IsCertain(GstBuffer* picture) {
  return GST_BUFFER_PTS_IS_VALID(picture) &&
         gst_buffer_get_reference_timestamp_meta(picture, Mark()) == nullptr;
}

}  // namespace framelock::stream
