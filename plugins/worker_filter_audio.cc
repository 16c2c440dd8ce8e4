// SPDX-License-Identifier: Apache-2.0
// The audio pads of workerfilter: upstream's thread enters sound and events into the engine, the
// source pad's task of the frames pushes what comes out.
#include <gst/audio/audio.h>

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <span>
#include <utility>

#include "plugins/byte_buffer.h"
#include "plugins/filter_output.h"
#include "plugins/worker_filter_state.h"

GST_DEBUG_CATEGORY_EXTERN(framelock_worker_filter_debug);
#define GST_CAT_DEFAULT framelock_worker_filter_debug

namespace framelock::plugins {

namespace {

WorkerFilterState& StateOf(GstObject* parent) { return *FRAMELOCK_WORKER_FILTER(parent)->state; }

GstFlowReturn EnterAudio(WorkerFilterState& state, GstBuffer* buffer) {
  const auto engine = state.Running();
  if (!engine) return GST_FLOW_FLUSHING;
  const std::uint32_t rate = state.audio_rate;
  const MappedBytes map(buffer);
  if (rate == 0 || !map.ok()) return GST_FLOW_NOT_NEGOTIATED;
  std::optional<std::chrono::nanoseconds> pts;
  if (GST_BUFFER_PTS_IS_VALID(buffer)) {
    pts = std::chrono::nanoseconds(static_cast<std::int64_t>(GST_BUFFER_PTS(buffer)));
  }
  const std::span<const std::int16_t> samples(
      reinterpret_cast<const std::int16_t*>(map.bytes().data()),
      map.bytes().size() / sizeof(std::int16_t));
  const auto flow = engine->EnterAudio(
      [&](AudioPieces& audio, SteadyTime now) { audio.Push(samples, rate, pts, now); });
  return flow == FilterEngine::Flow::kOk ? GST_FLOW_OK : GST_FLOW_FLUSHING;
}

GstFlowReturn audio_chain(GstPad*, GstObject* parent, GstBuffer* buffer) {
  const GstFlowReturn flow = EnterAudio(StateOf(parent), buffer);
  gst_buffer_unref(buffer);
  return flow;
}

// What changes the stream, and what only says something of it.
AudioPieces::Place PlaceOf(const GstEvent* event) {
  switch (GST_EVENT_TYPE(event)) {
    case GST_EVENT_STREAM_START:
    case GST_EVENT_CAPS:
    case GST_EVENT_SEGMENT:
    case GST_EVENT_EOS:
      return AudioPieces::Place::kBetween;
    default:
      return AudioPieces::Place::kAmong;
  }
}

gboolean audio_event(GstPad* pad, GstObject* parent, GstEvent* event) {
  auto* self = FRAMELOCK_WORKER_FILTER(parent);
  const auto engine = self->state->Running();
  if (!engine) {
    gst_event_unref(event);
    return FALSE;
  }
  switch (GST_EVENT_TYPE(event)) {
    case GST_EVENT_FLUSH_STOP:
      engine->EnterAudio([&](AudioPieces& audio, SteadyTime) {
        for (Cargo& kept : audio.Flush()) {
          StoreSticky(self->audio_srcpad, static_cast<GstEvent*>(kept.release()));
        }
      });
      return gst_pad_push_event(self->audio_srcpad, event);
    case GST_EVENT_CAPS: {
      GstCaps* caps = nullptr;
      gst_event_parse_caps(event, &caps);
      GstAudioInfo info;
      if (gst_audio_info_from_caps(&info, caps) == 0) {
        gst_event_unref(event);
        return FALSE;
      }
      self->state->audio_rate = static_cast<std::uint32_t>(GST_AUDIO_INFO_RATE(&info));
      break;
    }
    default:
      break;
  }
  if (!GST_EVENT_IS_SERIALIZED(event)) return gst_pad_event_default(pad, parent, event);
  const AudioPieces::Place place = PlaceOf(event);
  Cargo cargo = EventCargo(event);
  const auto flow = engine->EnterAudio(
      [&](AudioPieces& audio, SteadyTime now) { audio.PushEvent(std::move(cargo), place, now); });
  return flow == FilterEngine::Flow::kOk;
}

gboolean audio_src_query(GstPad* pad, GstObject* parent, GstQuery* query) {
  auto* self = FRAMELOCK_WORKER_FILTER(parent);
  if (GST_QUERY_TYPE(query) != GST_QUERY_LATENCY) return gst_pad_query_default(pad, parent, query);
  if (gst_pad_peer_query(self->audio_sinkpad, query) == 0) return FALSE;
  gboolean live = FALSE;
  GstClockTime shortest = 0;
  GstClockTime longest = GST_CLOCK_TIME_NONE;
  gst_query_parse_latency(query, &live, &shortest, &longest);
  const auto own = static_cast<GstClockTime>(
      std::chrono::nanoseconds(self->state->Stats().audio_length).count());
  if (GST_CLOCK_TIME_IS_VALID(longest)) longest += own;
  gst_query_set_latency(query, live, shortest + own, longest);
  return TRUE;
}

// Frames and audio have nothing to do with each other.
GstIterator* internal_links(GstPad* pad, GstObject* parent) {
  const auto* self = FRAMELOCK_WORKER_FILTER(parent);
  GstPad* other = pad == self->sinkpad         ? self->srcpad
                  : pad == self->srcpad        ? self->sinkpad
                  : pad == self->audio_sinkpad ? self->audio_srcpad
                                               : self->audio_sinkpad;
  if (other == nullptr) return nullptr;
  GValue value = G_VALUE_INIT;
  g_value_init(&value, GST_TYPE_PAD);
  g_value_set_object(&value, other);
  GstIterator* links = gst_iterator_new_single(GST_TYPE_PAD, &value);
  g_value_unset(&value);
  return links;
}

// The template's format in whatever rate the other side has.
gboolean audio_sink_query(GstPad* pad, GstObject* parent, GstQuery* query) {
  if (GST_QUERY_TYPE(query) != GST_QUERY_CAPS) return gst_pad_query_default(pad, parent, query);
  auto* self = FRAMELOCK_WORKER_FILTER(parent);
  GstPad* other = pad == self->audio_sinkpad ? self->audio_srcpad : self->audio_sinkpad;
  GstCaps* own = gst_pad_get_pad_template_caps(pad);
  GstCaps* caps = gst_pad_peer_query_caps(other, own);
  gst_caps_unref(own);
  GstCaps* filter = nullptr;
  gst_query_parse_caps(query, &filter);
  if (filter != nullptr) {
    GstCaps* filtered = gst_caps_intersect_full(filter, caps, GST_CAPS_INTERSECT_FIRST);
    gst_caps_unref(caps);
    caps = filtered;
  }
  gst_query_set_caps_result(query, caps);
  gst_caps_unref(caps);
  return TRUE;
}

}  // namespace

void SeparatePads(std::initializer_list<GstPad*> pads) {
  for (GstPad* pad : pads) gst_pad_set_iterate_internal_links_function(pad, internal_links);
}

GstPad* RequestWorkerFilterAudio(FramelockWorkerFilter* self, GstPadTemplate* sink) {
  if (self->audio_sinkpad != nullptr) return nullptr;
  auto* klass = GST_ELEMENT_GET_CLASS(self);
  GstPad* entry = gst_pad_new_from_template(sink, "audio_sink");
  GstPad* exit = gst_pad_new_from_template(gst_element_class_get_pad_template(klass, "audio_src"),
                                           "audio_src");
  gst_pad_set_chain_function(entry, audio_chain);
  gst_pad_set_event_function(entry, audio_event);
  gst_pad_set_query_function(entry, audio_sink_query);
  gst_pad_set_query_function(exit, audio_src_query);
  SeparatePads({entry, exit});
  self->audio_sinkpad = entry;
  self->audio_srcpad = exit;
  gst_pad_set_active(exit, TRUE);
  gst_pad_set_active(entry, TRUE);
  gst_element_add_pad(GST_ELEMENT(self), exit);
  gst_element_add_pad(GST_ELEMENT(self), entry);
  return entry;
}

void ReleaseWorkerFilterAudio(FramelockWorkerFilter* self, GstPad* pad) {
  if (pad != self->audio_sinkpad) return;
  for (GstPad* each : {self->audio_sinkpad, self->audio_srcpad}) {
    gst_pad_set_active(each, FALSE);
    gst_element_remove_pad(GST_ELEMENT(self), each);
  }
  self->audio_sinkpad = self->audio_srcpad = nullptr;
}

void PushAudio(FramelockWorkerFilter* self, AudioOutput output) {
  // Nobody need listen, and what goes wrong there is no matter of the frames.
  if (self->audio_srcpad == nullptr) return;
  if (output.event) {
    gst_pad_push_event(self->audio_srcpad, static_cast<GstEvent*>(output.event.release()));
    return;
  }
  const std::span<const std::byte> bytes = std::as_bytes(std::span(output.samples));
  GstBuffer* buffer = gst_buffer_new_memdup(bytes.data(), bytes.size());
  // The start of a piece is reckoned back from its end.
  const auto from_zero = [](std::chrono::nanoseconds pts) {
    return static_cast<GstClockTime>(std::max<std::int64_t>(pts.count(), 0));
  };
  if (output.pts) GST_BUFFER_PTS(buffer) = from_zero(*output.pts);
  GST_BUFFER_DURATION(buffer) =
      gst_util_uint64_scale(output.samples.size(), GST_SECOND, output.sample_rate);
  const GstFlowReturn flow = gst_pad_push(self->audio_srcpad, buffer);
  if (flow != GST_FLOW_OK) GST_DEBUG_OBJECT(self, "audio: %s", gst_flow_get_name(flow));
}

}  // namespace framelock::plugins
