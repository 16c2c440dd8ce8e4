// SPDX-License-Identifier: Apache-2.0
#include "plugins/stream_sink.h"

#include <atomic>
#include <utility>
#include <vector>

#include "plugins/resource_error.h"

namespace plugins = framelock::plugins;
using framelock::ErrorCode;
using framelock::Status;
using plugins::SegmentCutter;

namespace {

using Element = plugins::StreamElement<plugins::SinkModel>;
using Chunks = std::vector<SegmentCutter::Chunk>;

struct State {
  explicit State(std::unique_ptr<plugins::SinkModel> model) : element(std::move(model)) {}

  Element element;
  std::unique_ptr<SegmentCutter> cutter;  // streaming thread only
  std::atomic<guint64> skipped_packets = 0;
  std::atomic<guint64> skipped_bytes = 0;

  /// Makes a cutter for what upstream sends, unless the one at work fits.
  Status Expect(const GstStructure* caps) {
    const auto payload =
        element.WithModel([&](const auto& model) { return model.PayloadOf(caps); });
    if (!payload) return payload.error();
    if (cutter && cutter->payload() == *payload) return {};
    cutter = std::make_unique<SegmentCutter>(*payload, element.WithModel([](const auto& model) {
      return model.min_segment_duration();
    }));
    return {};
  }
};

}  // namespace

struct FramelockStreamSinkPrivate {
  State* state;
};

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE(FramelockStreamSink, framelock_stream_sink, GST_TYPE_BASE_SINK)

static State& framelock_stream_sink_state(gpointer self) {
  auto* part = static_cast<FramelockStreamSinkPrivate*>(
      framelock_stream_sink_get_instance_private(FRAMELOCK_STREAM_SINK(self)));
  return *part->state;
}

static gboolean framelock_stream_sink_start(GstBaseSink* base) {
  State& state = framelock_stream_sink_state(base);
  state.skipped_packets = state.skipped_bytes = 0;
  state.cutter.reset();
  Status started = state.Expect(nullptr);
  if (started) started = state.element.Start();
  if (!started) plugins::PostWriteError(GST_ELEMENT(base), started.error());
  return started ? TRUE : FALSE;
}

static gboolean framelock_stream_sink_stop(GstBaseSink* base) {
  framelock_stream_sink_state(base).element.Stop();
  return TRUE;
}

static gboolean framelock_stream_sink_unlock(GstBaseSink* base) {
  framelock_stream_sink_state(base).element.Interrupt();
  return TRUE;
}

static gboolean framelock_stream_sink_unlock_stop(GstBaseSink* base) {
  framelock_stream_sink_state(base).element.Resume();
  return TRUE;
}

static gboolean framelock_stream_sink_set_caps(GstBaseSink* base, GstCaps* caps) {
  const Status fits = framelock_stream_sink_state(base).Expect(gst_caps_get_structure(caps, 0));
  if (fits) return TRUE;
  GST_ELEMENT_ERROR(base, STREAM, WRONG_TYPE, ("%s", fits.error().message.c_str()),
                    ("caps: %" GST_PTR_FORMAT, caps));
  return FALSE;
}

static GstFlowReturn framelock_stream_sink_fail(GstBaseSink* base, const framelock::Error& error) {
  plugins::PostWriteError(GST_ELEMENT(base), error);
  return GST_FLOW_ERROR;
}

static GstFlowReturn framelock_stream_sink_send(GstBaseSink* base, const Chunks& chunks) {
  State& state = framelock_stream_sink_state(base);
  const auto client = state.element.Running();
  if (!client) return GST_FLOW_FLUSHING;
  state.skipped_packets = state.cutter->skipped_packets();
  state.skipped_bytes = state.cutter->skipped_bytes();
  for (const SegmentCutter::Chunk& chunk : chunks) {
    const Status sent = client->Send(GST_ELEMENT(base), chunk);
    if (!sent) return framelock_stream_sink_fail(base, sent.error());
  }
  return GST_FLOW_OK;
}

static GstFlowReturn framelock_stream_sink_unreadable(GstBaseSink* base) {
  return framelock_stream_sink_fail(base,
                                    {ErrorCode::kInternal, "a buffer's memory cannot be read"});
}

static GstFlowReturn framelock_stream_sink_render(GstBaseSink* base, GstBuffer* buffer) {
  Chunks chunks;
  if (!framelock_stream_sink_state(base).cutter->Push(buffer, chunks)) {
    return framelock_stream_sink_unreadable(base);
  }
  return framelock_stream_sink_send(base, chunks);
}

static GstFlowReturn framelock_stream_sink_render_list(GstBaseSink* base, GstBufferList* list) {
  Chunks chunks;
  for (guint i = 0; i < gst_buffer_list_length(list); ++i) {
    if (!framelock_stream_sink_state(base).cutter->Push(gst_buffer_list_get(list, i), chunks)) {
      return framelock_stream_sink_unreadable(base);
    }
  }
  return framelock_stream_sink_send(base, chunks);
}

static void framelock_stream_sink_close(GstBaseSink* base) {
  State& state = framelock_stream_sink_state(base);
  const auto client = state.element.Running();
  if (!client) return;
  const Status closed = client->Close();
  if (state.cutter->found_nothing()) {
    framelock_stream_sink_fail(
        base, {ErrorCode::kInvalidArgument,
               "nothing was sent: upstream made no MPEG-TS keyframe to begin with"});
  }
  if (closed || closed.error().code == ErrorCode::kCancelled ||
      closed.error().code == ErrorCode::kClosed) {
    return;
  }
  // A close that was not answered is the peer's business, bytes that were not sent are ours.
  if (client->queued_bytes() > 0) {
    framelock_stream_sink_fail(base, closed.error());
  } else {
    GST_CAT_INFO_OBJECT(FRAMELOCK_STREAM_SINK_GET_CLASS(base)->category, base, "close: %s",
                        closed.error().message.c_str());
  }
}

static gboolean framelock_stream_sink_event(GstBaseSink* base, GstEvent* event) {
  if (GST_EVENT_TYPE(event) == GST_EVENT_EOS) framelock_stream_sink_close(base);
  return GST_BASE_SINK_CLASS(framelock_stream_sink_parent_class)->event(base, event);
}

static void framelock_stream_sink_set_property(GObject* object, guint id, const GValue* value,
                                               GParamSpec* spec) {
  if (!framelock_stream_sink_state(object).element.SetProperty(id, value)) {
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

static void framelock_stream_sink_get_property(GObject* object, guint id, GValue* value,
                                               GParamSpec* spec) {
  State& state = framelock_stream_sink_state(object);
  if (id == Element::kStats) {
    GstStructure* stats = state.element.Stats();
    gst_structure_set(stats, "skipped-packets", G_TYPE_UINT64, state.skipped_packets.load(),
                      "skipped-bytes", G_TYPE_UINT64, state.skipped_bytes.load(), nullptr);
    g_value_take_boxed(value, stats);
  } else if (!state.element.GetProperty(id, value)) {
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

static void framelock_stream_sink_finalize(GObject* object) {
  delete &framelock_stream_sink_state(object);
  G_OBJECT_CLASS(framelock_stream_sink_parent_class)->finalize(object);
}

static void framelock_stream_sink_class_init(FramelockStreamSinkClass* klass) {
  static GstStaticPadTemplate sink_template =
      GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
  G_OBJECT_CLASS(klass)->finalize = framelock_stream_sink_finalize;

  GstBaseSinkClass* base = GST_BASE_SINK_CLASS(klass);
  base->start = framelock_stream_sink_start;
  base->stop = framelock_stream_sink_stop;
  base->unlock = framelock_stream_sink_unlock;
  base->unlock_stop = framelock_stream_sink_unlock_stop;
  base->set_caps = framelock_stream_sink_set_caps;
  base->render = framelock_stream_sink_render;
  base->render_list = framelock_stream_sink_render_list;
  base->event = framelock_stream_sink_event;
  gst_element_class_add_static_pad_template(GST_ELEMENT_CLASS(klass), &sink_template);
}

static void framelock_stream_sink_init(FramelockStreamSink* self) {
  gst_base_sink_set_sync(GST_BASE_SINK(self), FALSE);
  gst_base_sink_set_async_enabled(GST_BASE_SINK(self), FALSE);
  gst_base_sink_set_last_sample_enabled(GST_BASE_SINK(self), FALSE);
}

namespace framelock::plugins {

void DescribeSink(FramelockStreamSinkClass* klass, const StreamTexts& texts) {
  GObjectClass* object = G_OBJECT_CLASS(klass);
  object->set_property = framelock_stream_sink_set_property;  // GObject does not inherit them
  object->get_property = framelock_stream_sink_get_property;
  InstallStreamProperties(object, texts);
  gst_element_class_set_static_metadata(GST_ELEMENT_CLASS(klass), texts.name, "Sink/Network",
                                        texts.description, "Framelock");
}

void SetUpSink(FramelockStreamSink* self, std::unique_ptr<SinkModel> model) {
  auto* part =
      static_cast<FramelockStreamSinkPrivate*>(framelock_stream_sink_get_instance_private(self));
  part->state = new State(std::move(model));
}

}  // namespace framelock::plugins
