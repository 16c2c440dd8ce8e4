// SPDX-License-Identifier: Apache-2.0
// The pads of workerfilter: upstream's thread enters frames and events into the engine, the source
// pad's task moves the engine on and pushes what it gives out.
#include <gst/video/video.h>

#include <utility>

#include "plugins/slot_pool.h"
#include "plugins/worker_filter_state.h"

GST_DEBUG_CATEGORY_EXTERN(framelock_worker_filter_debug);
#define GST_CAT_DEFAULT framelock_worker_filter_debug

namespace framelock::plugins {

namespace {

using Flow = FilterEngine::Flow;

constexpr std::uint64_t kLatencyPeriod = 32;  // pushes between two looks at our own latency

WorkerFilterState& StateOf(GstObject* parent) { return *FRAMELOCK_WORKER_FILTER(parent)->state; }

Cargo BufferCargo(GstBuffer* buffer) {
  return Cargo(buffer, [](void* b) { gst_buffer_unref(static_cast<GstBuffer*>(b)); });
}

Cargo CapsCargo(GstCaps* caps) {
  return Cargo(caps, [](void* c) { gst_caps_unref(static_cast<GstCaps*>(c)); });
}

GstFlowReturn FlowOf(const WorkerFilterState& state, Flow flow) {
  if (flow == Flow::kOk) return GST_FLOW_OK;
  if (flow == Flow::kFlushing) return GST_FLOW_FLUSHING;
  const GstFlowReturn downstream = state.flow;
  return downstream == GST_FLOW_OK ? GST_FLOW_ERROR : downstream;
}

// Sink pad ----------------------------------------------------------------------------------------

GstFlowReturn sink_chain(GstPad*, GstObject* parent, GstBuffer* buffer) {
  WorkerFilterState& state = StateOf(parent);
  const auto engine = state.Running();
  const auto region = engine ? engine->region() : nullptr;
  if (!region) {
    gst_buffer_unref(buffer);
    return engine ? GST_FLOW_NOT_NEGOTIATED : GST_FLOW_FLUSHING;
  }
  const std::byte* packed =
      PackedPixels(buffer, region->layout().attach().stride, slot_pool_frame_bytes(*region));
  std::optional<std::chrono::nanoseconds> pts;
  if (GST_BUFFER_PTS_IS_VALID(buffer)) {
    pts = std::chrono::nanoseconds(static_cast<std::int64_t>(GST_BUFFER_PTS(buffer)));
  }
  return FlowOf(state, engine->Enter(BufferCargo(buffer), pts, packed));
}

gboolean SetCaps(FramelockWorkerFilter* self, FilterEngine& engine, GstCaps* caps) {
  GstVideoInfo info;
  if (!gst_video_info_from_caps(&info, caps)) return FALSE;
  InputFormat format;
  switch (GST_VIDEO_INFO_FORMAT(&info)) {
    case GST_VIDEO_FORMAT_RGB:
      format.pixels = protocol::PixelFormat::kRgb8;
      break;
    case GST_VIDEO_FORMAT_RGBA:
      format.pixels = protocol::PixelFormat::kRgba8;
      break;
    default:
      return FALSE;
  }
  format.width = static_cast<std::uint32_t>(GST_VIDEO_INFO_WIDTH(&info));
  format.height = static_cast<std::uint32_t>(GST_VIDEO_INFO_HEIGHT(&info));
  format.caps = CapsCargo(gst_caps_ref(caps));
  const Status set = engine.SetFormat(std::move(format));
  if (set) return TRUE;
  GST_ELEMENT_ERROR(
      self, STREAM, FORMAT,
      ("frames of this format cannot be shared with a worker: %s", set.error().message.c_str()),
      (nullptr));
  return FALSE;
}

void FlushStop(FramelockWorkerFilter* self, FilterEngine& engine) {
  // The task pushes nothing now, so what it holds may be touched.
  for (Cargo& event : engine.FlushStop()) {
    StoreSticky(self->srcpad, static_cast<GstEvent*>(event.release()));
  }
  if (self->state->output) self->state->output->Flush();
  const std::lock_guard lock(self->state->ending);
  self->state->flow = GST_FLOW_OK;
  self->state->eos = self->state->finished = false;
}

// Upstream learns of a refusal with its next frame, but after EOS there is none: then the bus is
// told, and downstream gets its end all the same. Once, whichever thread comes to it first. A flush
// that came before leaves nothing to end, and one that comes now waits, so that no end follows it.
void FinishRefused(FramelockWorkerFilter* self) {
  WorkerFilterState& state = *self->state;
  const std::lock_guard lock(state.ending);
  const GstFlowReturn flow = state.flow;
  const bool refused = flow != GST_FLOW_OK && flow != GST_FLOW_FLUSHING;
  // The engine may have failed without the bus knowing: who tells it comes here behind that.
  if (!state.eos || state.finished || (!refused && !state.failed)) return;
  state.finished = true;
  const bool fatal = flow == GST_FLOW_NOT_LINKED || flow < GST_FLOW_EOS;
  if (fatal && !state.failed) GST_ELEMENT_FLOW_ERROR(self, flow);
  gst_pad_push_event(self->srcpad, gst_event_new_eos());
}

gboolean EnterEvent(FramelockWorkerFilter* self, FilterEngine& engine, GstEvent* event) {
  const bool eos = GST_EVENT_TYPE(event) == GST_EVENT_EOS;
  if (eos) self->state->eos = true;
  const Flow flow = engine.EnterEvent(EventCargo(event));
  if (eos && flow == Flow::kEnded) FinishRefused(self);
  return flow == Flow::kOk;
}

gboolean sink_event(GstPad* pad, GstObject* parent, GstEvent* event) {
  auto* self = FRAMELOCK_WORKER_FILTER(parent);
  const auto engine = self->state->Running();
  if (!engine) {
    gst_event_unref(event);
    return FALSE;
  }
  switch (GST_EVENT_TYPE(event)) {
    case GST_EVENT_FLUSH_START:
      engine->FlushStart();
      // Brings a push that blocks downstream back, so that the task can come to rest.
      return gst_pad_push_event(self->srcpad, event);
    case GST_EVENT_FLUSH_STOP:
      FlushStop(self, *engine);
      return gst_pad_push_event(self->srcpad, event);
    case GST_EVENT_CAPS: {
      GstCaps* caps = nullptr;
      gst_event_parse_caps(event, &caps);
      const gboolean set = SetCaps(self, *engine, caps);
      gst_event_unref(event);
      return set;
    }
    default:
      break;
  }
  if (!GST_EVENT_IS_SERIALIZED(event)) return gst_pad_event_default(pad, parent, event);
  return EnterEvent(self, *engine, event);
}

// What the other side can do, in its own size first, then in any: a graph may change the size.
GstCaps* CapsAcross(GstPad* pad, GstPad* other, GstCaps* filter) {
  GstCaps* own = gst_pad_get_pad_template_caps(pad);
  GstCaps* peer = gst_pad_peer_query_caps(other, own);
  GstCaps* any_size = gst_caps_copy(peer);
  for (guint i = 0; i < gst_caps_get_size(any_size); ++i) {
    gst_structure_set(gst_caps_get_structure(any_size, i), "width", GST_TYPE_INT_RANGE, 1,
                      static_cast<gint>(protocol::kMaxDimension), "height", GST_TYPE_INT_RANGE, 1,
                      static_cast<gint>(protocol::kMaxDimension), nullptr);
  }
  GstCaps* merged = gst_caps_merge(peer, any_size);
  GstCaps* caps = gst_caps_intersect_full(merged, own, GST_CAPS_INTERSECT_FIRST);
  gst_caps_unref(merged);
  gst_caps_unref(own);
  if (filter == nullptr) return caps;
  GstCaps* filtered = gst_caps_intersect_full(filter, caps, GST_CAPS_INTERSECT_FIRST);
  gst_caps_unref(caps);
  return filtered;
}

gboolean AnswerCaps(GstPad* pad, GstPad* other, GstQuery* query) {
  GstCaps* filter = nullptr;
  gst_query_parse_caps(query, &filter);
  GstCaps* caps = CapsAcross(pad, other, filter);
  gst_query_set_caps_result(query, caps);
  gst_caps_unref(caps);
  return TRUE;
}

gboolean AnswerAllocation(FramelockWorkerFilter* self, GstQuery* query) {
  const auto engine = self->state->Running();
  const auto region = engine ? engine->region() : nullptr;
  GstCaps* caps = nullptr;
  gboolean need_pool = FALSE;
  gst_query_parse_allocation(query, &caps, &need_pool);
  GstVideoInfo info;
  if (!region || caps == nullptr || !gst_video_info_from_caps(&info, caps)) return FALSE;
  const gsize bytes = slot_pool_frame_bytes(*region);
  if (info.size != bytes) return FALSE;
  if (need_pool) {
    GstBufferPool* pool = slot_pool_new(region);
    GstStructure* config = gst_buffer_pool_get_config(pool);
    gst_buffer_pool_config_set_params(config, caps, static_cast<guint>(bytes), 0, 0);
    gst_buffer_pool_set_config(pool, config);
    gst_query_add_allocation_pool(query, pool, static_cast<guint>(bytes), 0, 0);
    gst_object_unref(pool);
  }
  return TRUE;
}

gboolean sink_query(GstPad* pad, GstObject* parent, GstQuery* query) {
  auto* self = FRAMELOCK_WORKER_FILTER(parent);
  switch (GST_QUERY_TYPE(query)) {
    case GST_QUERY_CAPS:
      return AnswerCaps(pad, self->srcpad, query);
    case GST_QUERY_ALLOCATION:
      return AnswerAllocation(self, query);
    default:
      return gst_pad_query_default(pad, parent, query);
  }
}

// Source pad --------------------------------------------------------------------------------------

gboolean src_query(GstPad* pad, GstObject* parent, GstQuery* query) {
  auto* self = FRAMELOCK_WORKER_FILTER(parent);
  if (GST_QUERY_TYPE(query) == GST_QUERY_CAPS) return AnswerCaps(pad, self->sinkpad, query);
  if (GST_QUERY_TYPE(query) != GST_QUERY_LATENCY) return gst_pad_query_default(pad, parent, query);
  if (!gst_pad_peer_query(self->sinkpad, query)) return FALSE;
  gboolean live = FALSE;
  GstClockTime shortest = 0;
  GstClockTime longest = GST_CLOCK_TIME_NONE;
  gst_query_parse_latency(query, &live, &shortest, &longest);
  const auto own = static_cast<GstClockTime>(WorkerFilterLatency(*self->state).count());
  if (GST_CLOCK_TIME_IS_VALID(longest)) longest += own;
  gst_query_set_latency(query, live, shortest + own, longest);
  return TRUE;
}

void TellLatency(FramelockWorkerFilter* self) {
  const auto before = self->state->reported_latency.load();
  if (WorkerFilterLatency(*self->state).count() == before) return;
  gst_element_post_message(GST_ELEMENT(self), gst_message_new_latency(GST_OBJECT(self)));
}

void TellTexts(FramelockWorkerFilter* self, const LineFrame& frame) {
  const guint64 pts =
      frame.pts ? static_cast<guint64>(frame.pts->count()) : guint64{GST_CLOCK_TIME_NONE};
  for (const std::string& text : frame.texts) {
    g_signal_emit_by_name(self, "text", static_cast<guint64>(frame.sequence.value), pts,
                          text.c_str());
  }
}

void PushOutput(FramelockWorkerFilter* self, FilterEngine& engine, LineOutput output) {
  if (output.kind == LineOutput::Kind::kResult) TellTexts(self, output.frame);
  const auto newest = engine.format();
  const auto region = engine.region();
  const GstFlowReturn flow =
      self->state->output->Push(std::move(output), newest.get(), region.get());
  const std::size_t copies = self->state->output->TakeCopies();
  if (flow == GST_FLOW_OK) {
    engine.Pushed(copies);
    if (++self->state->pushed % kLatencyPeriod == 0) TellLatency(self);
    return;
  }
  GST_DEBUG_OBJECT(self, "downstream answered %s", gst_flow_get_name(flow));
  self->state->flow = flow;
  engine.EndFlow();
  FinishRefused(self);
}

void AskForSize(FramelockWorkerFilter* self, FilterEngine& engine, FrameSize size) {
  GST_INFO_OBJECT(self, "frames of %ux%u are asked for", size.width, size.height);
  GstEvent* event = gst_event_new_custom(GST_EVENT_CUSTOM_UPSTREAM, SizeStructure(size));
  if (!gst_pad_push_event(self->sinkpad, event)) engine.SizeRefused();
}

void Perform(FramelockWorkerFilter* self, FilterEngine& engine, FilterWork work) {
  if (auto* output = std::get_if<LineOutput>(&work)) {
    PushOutput(self, engine, std::move(*output));
  } else if (const auto* ready = std::get_if<WorkerReady>(&work)) {
    GST_INFO_OBJECT(self, "worker %d is ready", ready->pid);
    gst_element_post_message(GST_ELEMENT(self),
                             gst_message_new_element(GST_OBJECT(self), ReadyStructure(ready->pid)));
  } else if (const auto* switched = std::get_if<WorkerSwitched>(&work)) {
    GST_INFO_OBJECT(self, "worker %d has taken over", switched->pid);
    gst_element_post_message(
        GST_ELEMENT(self),
        gst_message_new_element(GST_OBJECT(self), SwitchedStructure(switched->pid)));
  } else if (const auto* lost = std::get_if<WorkerLost>(&work)) {
    GST_WARNING_OBJECT(self, "worker %d is lost (%s): %s", lost->pid,
                       host::LossReasonText(lost->reason), lost->detail.c_str());
    gst_element_post_message(GST_ELEMENT(self),
                             gst_message_new_element(GST_OBJECT(self), LostStructure(*lost)));
  } else if (const auto* failure = std::get_if<Failure>(&work)) {
    GST_ELEMENT_ERROR(self, RESOURCE, FAILED, ("%s", failure->message.c_str()), (nullptr));
    self->state->failed = true;
    self->state->flow = GST_FLOW_ERROR;
    FinishRefused(self);
  } else if (const auto* complaint = std::get_if<Complaint>(&work)) {
    GST_WARNING_OBJECT(self, "%" G_GUINT64_FORMAT " frames failed, the last one: %s",
                       complaint->failed_frames, complaint->last_error.c_str());
  } else if (auto* sound = std::get_if<AudioOutput>(&work)) {
    PushAudio(self, std::move(*sound));
  } else if (const auto* audio = std::get_if<AudioLength>(&work)) {
    gst_element_post_message(
        GST_ELEMENT(self),
        gst_message_new_element(GST_OBJECT(self), AudioStructure(audio->length)));
  } else if (const auto* size = std::get_if<Resize>(&work)) {
    AskForSize(self, engine, *size);
  } else {
    gst_pad_push_event(self->sinkpad, gst_event_new_reconfigure());
  }
}

void src_task(gpointer user_data) {
  auto* self = FRAMELOCK_WORKER_FILTER(user_data);
  const auto engine = self->state->Running();
  if (!engine) {
    gst_pad_pause_task(self->srcpad);
  } else if (auto work = engine->Next()) {
    Perform(self, *engine, std::move(*work));
  } else {
    engine->Wait();
  }
}

gboolean src_activate_mode(GstPad* pad, GstObject* parent, GstPadMode mode, gboolean active) {
  if (mode != GST_PAD_MODE_PUSH) return FALSE;
  if (active) return gst_pad_start_task(pad, src_task, parent, nullptr);
  if (const auto engine = StateOf(parent).Running()) engine->Stop();
  return gst_pad_stop_task(pad);
}

gboolean sink_activate_mode(GstPad*, GstObject* parent, GstPadMode mode, gboolean active) {
  if (mode != GST_PAD_MODE_PUSH) return FALSE;
  const auto engine = StateOf(parent).Running();
  if (!active && engine) engine->Stop();
  return TRUE;
}

}  // namespace

Cargo EventCargo(GstEvent* event) {
  return Cargo(event, [](void* e) { gst_event_unref(static_cast<GstEvent*>(e)); });
}

void AddWorkerFilterPads(FramelockWorkerFilter* self) {
  auto* klass = GST_ELEMENT_GET_CLASS(self);
  self->sinkpad =
      gst_pad_new_from_template(gst_element_class_get_pad_template(klass, "sink"), "sink");
  gst_pad_set_chain_function(self->sinkpad, sink_chain);
  gst_pad_set_event_function(self->sinkpad, sink_event);
  gst_pad_set_query_function(self->sinkpad, sink_query);
  gst_pad_set_activatemode_function(self->sinkpad, sink_activate_mode);
  GST_PAD_SET_ACCEPT_TEMPLATE(self->sinkpad);
  self->srcpad = gst_pad_new_from_template(gst_element_class_get_pad_template(klass, "src"), "src");
  gst_pad_set_query_function(self->srcpad, src_query);
  gst_pad_set_activatemode_function(self->srcpad, src_activate_mode);
  SeparatePads({self->sinkpad, self->srcpad});
  gst_element_add_pad(GST_ELEMENT(self), self->sinkpad);
  gst_element_add_pad(GST_ELEMENT(self), self->srcpad);
}

std::chrono::nanoseconds WorkerFilterLatency(WorkerFilterState& state) {
  std::chrono::nanoseconds fixed{};
  {
    const std::lock_guard lock(state.mutex);
    fixed = state.settings.latency;
  }
  if (fixed.count() > 0) return fixed;
  constexpr std::chrono::milliseconds kStep{10};
  const auto seen = std::chrono::ceil<std::chrono::milliseconds>(state.Stats().latency_p95);
  const std::chrono::nanoseconds rounded = (seen / kStep + 1) * kStep;
  auto& highest = state.reported_latency;
  if (rounded.count() > highest) highest = rounded.count();
  return std::chrono::nanoseconds(highest);
}

}  // namespace framelock::plugins
