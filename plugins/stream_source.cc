// SPDX-License-Identifier: Apache-2.0
#include "plugins/stream_source.h"

#include <mutex>
#include <utility>

#include "pipeline/core/clock.h"
#include "plugins/byte_buffer.h"
#include "plugins/resource_error.h"
#include "plugins/ts_timeline.h"

namespace plugins = framelock::plugins;
using framelock::ErrorCode;
using framelock::Status;

namespace {

constexpr const char* kDefaultCaps =
    "video/mpegts, systemstream=(boolean)true, packetsize=(int)188";

using Element = plugins::StreamElement<plugins::SourceModel>;

struct State {
  explicit State(std::unique_ptr<plugins::SourceModel> model) : element(std::move(model)) {}
  ~State() { gst_caps_replace(&caps, nullptr); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  Element element;
  std::mutex caps_mutex;
  GstCaps* caps = gst_caps_from_string(kDefaultCaps);
  // Streaming thread only.
  guint64 offset = 0;
  plugins::TsTimeline timeline;
};

}  // namespace

struct FramelockStreamSourcePrivate {
  State* state;
};

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE(FramelockStreamSource, framelock_stream_source,
                                    GST_TYPE_PUSH_SRC)

static State& framelock_stream_source_state(gpointer self) {
  auto* part = static_cast<FramelockStreamSourcePrivate*>(
      framelock_stream_source_get_instance_private(FRAMELOCK_STREAM_SOURCE(self)));
  return *part->state;
}

static gboolean framelock_stream_source_start(GstBaseSrc* base) {
  State& state = framelock_stream_source_state(base);
  // From bytes tsdemux makes timestamps with exact distances; from buffers with arrival times it
  // makes ones that follow the clock and so drift against each other.
  gst_base_src_set_format(base,
                          gst_base_src_get_do_timestamp(base) ? GST_FORMAT_TIME : GST_FORMAT_BYTES);
  state.offset = 0;
  state.timeline = {};
  const Status started = state.element.Start();
  if (!started) plugins::PostReadError(GST_ELEMENT(base), started.error());
  return started ? TRUE : FALSE;
}

static gboolean framelock_stream_source_stop(GstBaseSrc* base) {
  framelock_stream_source_state(base).element.Stop();
  return TRUE;
}

static gboolean framelock_stream_source_unlock(GstBaseSrc* base) {
  framelock_stream_source_state(base).element.Interrupt();
  return TRUE;
}

static gboolean framelock_stream_source_unlock_stop(GstBaseSrc* base) {
  framelock_stream_source_state(base).element.Resume();
  return TRUE;
}

static GstFlowReturn framelock_stream_source_create(GstPushSrc* base, GstBuffer** buffer) {
  State& state = framelock_stream_source_state(base);
  const auto client = state.element.Running();
  if (!client) return GST_FLOW_FLUSHING;
  auto piece = client->Read();
  while (!piece && piece.error().code == ErrorCode::kTimeout) piece = client->Read();
  if (!piece) {
    if (piece.error().code == ErrorCode::kCancelled) return GST_FLOW_FLUSHING;
    if (piece.error().code == ErrorCode::kClosed) return GST_FLOW_EOS;
    plugins::PostReadError(GST_ELEMENT(base), piece.error());
    return GST_FLOW_ERROR;
  }
  const framelock::SteadyTime now = framelock::Clock::System().Now();
  bool same_timeline = true;
  if (piece->discontinuity) {
    same_timeline = state.timeline.PushAfterHole(piece->bytes, now);
    client->ReportGap(GST_ELEMENT(base), same_timeline ? FALSE : TRUE);
  } else {
    state.timeline.Push(piece->bytes, now);
  }
  const gsize size = piece->bytes.size();
  *buffer = plugins::WrapBytes(std::move(piece->bytes));
  GST_BUFFER_OFFSET(*buffer) = state.offset;
  GST_BUFFER_OFFSET_END(*buffer) = state.offset += size;
  // A new timeline is for tsdemux to find by itself: see TsTimeline. RESYNC tells others of it.
  if (piece->discontinuity) {
    GST_BUFFER_FLAG_SET(*buffer, same_timeline ? GST_BUFFER_FLAG_DISCONT : GST_BUFFER_FLAG_RESYNC);
  }
  return GST_FLOW_OK;
}

static GstCaps* framelock_stream_source_get_caps(GstBaseSrc* base, GstCaps* filter) {
  State& state = framelock_stream_source_state(base);
  const std::lock_guard lock(state.caps_mutex);
  GstCaps* caps = state.caps == nullptr ? gst_caps_new_any() : gst_caps_ref(state.caps);
  if (filter == nullptr) return caps;
  GstCaps* both = gst_caps_intersect_full(filter, caps, GST_CAPS_INTERSECT_FIRST);
  gst_caps_unref(caps);
  return both;
}

static gboolean framelock_stream_source_is_seekable(GstBaseSrc* /*base*/) { return FALSE; }

static void framelock_stream_source_set_property(GObject* object, guint id, const GValue* value,
                                                 GParamSpec* spec) {
  State& state = framelock_stream_source_state(object);
  if (id == Element::kCaps) {
    const std::lock_guard lock(state.caps_mutex);
    gst_caps_replace(&state.caps, const_cast<GstCaps*>(gst_value_get_caps(value)));
  } else if (!state.element.SetProperty(id, value)) {
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

static void framelock_stream_source_get_property(GObject* object, guint id, GValue* value,
                                                 GParamSpec* spec) {
  State& state = framelock_stream_source_state(object);
  if (id == Element::kCaps) {
    const std::lock_guard lock(state.caps_mutex);
    gst_value_set_caps(value, state.caps);
  } else if (id == Element::kStats) {
    g_value_take_boxed(value, state.element.Stats());
  } else if (!state.element.GetProperty(id, value)) {
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

static void framelock_stream_source_finalize(GObject* object) {
  delete &framelock_stream_source_state(object);
  G_OBJECT_CLASS(framelock_stream_source_parent_class)->finalize(object);
}

static void framelock_stream_source_class_init(FramelockStreamSourceClass* klass) {
  static GstStaticPadTemplate src_template =
      GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
  G_OBJECT_CLASS(klass)->finalize = framelock_stream_source_finalize;

  GstBaseSrcClass* base = GST_BASE_SRC_CLASS(klass);
  base->start = framelock_stream_source_start;
  base->stop = framelock_stream_source_stop;
  base->unlock = framelock_stream_source_unlock;
  base->unlock_stop = framelock_stream_source_unlock_stop;
  base->get_caps = framelock_stream_source_get_caps;
  base->is_seekable = framelock_stream_source_is_seekable;
  GST_PUSH_SRC_CLASS(klass)->create = framelock_stream_source_create;
  gst_element_class_add_static_pad_template(GST_ELEMENT_CLASS(klass), &src_template);
}

static void framelock_stream_source_init(FramelockStreamSource* self) {
  gst_base_src_set_live(GST_BASE_SRC(self), TRUE);
}

namespace framelock::plugins {

void DescribeSource(FramelockStreamSourceClass* klass, const StreamTexts& texts,
                    const char* caps_text) {
  GObjectClass* object = G_OBJECT_CLASS(klass);
  object->set_property = framelock_stream_source_set_property;  // GObject does not inherit them
  object->get_property = framelock_stream_source_get_property;
  InstallStreamProperties(object, texts);
  g_object_class_install_property(
      object, Element::kCaps,
      g_param_spec_boxed("caps", "Caps", caps_text, GST_TYPE_CAPS, kOptionFlags));
  gst_element_class_set_static_metadata(GST_ELEMENT_CLASS(klass), texts.name, "Source/Network",
                                        texts.description, "Framelock");
}

void SetUpSource(FramelockStreamSource* self, std::unique_ptr<SourceModel> model) {
  auto* part = static_cast<FramelockStreamSourcePrivate*>(
      framelock_stream_source_get_instance_private(self));
  part->state = new State(std::move(model));
}

}  // namespace framelock::plugins
