// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/stream/fake_elements.h"

#include <gst/base/gstbasesink.h>
#include <gst/base/gstpushsrc.h>
#include <gst/video/gstvideofilter.h>
#include <unistd.h>

#include <condition_variable>
#include <mutex>

namespace framelock::stream::fake {
namespace {

struct Stage {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<Piece> pieces;
  std::size_t next = 0;
  AtEnd at_end = AtEnd::kEndOfStream;
  bool unlocked = false;
  Bytes published;
  std::vector<std::string> settings;
  int first_lost = -1, last_lost = -1;
  std::vector<SizeWish> wishes;
};

Stage& TheStage() {
  static Stage stage;
  return stage;
}

void Note(const std::string& setting) {
  const std::lock_guard lock(TheStage().mutex);
  TheStage().settings.push_back(setting);
}

}  // namespace

void Play(std::vector<Piece> pieces, AtEnd at_end) {
  Stage& stage = TheStage();
  const std::lock_guard lock(stage.mutex);
  stage.pieces = std::move(pieces);
  stage.next = 0;
  stage.at_end = at_end;
  stage.unlocked = false;
  stage.published.clear();
  stage.settings.clear();
  stage.first_lost = stage.last_lost = -1;
  stage.wishes.clear();
}

void Lose(int first, int last) {
  const std::lock_guard lock(TheStage().mutex);
  TheStage().first_lost = first;
  TheStage().last_lost = last;
}

void WishFor(std::vector<SizeWish> wishes) {
  const std::lock_guard lock(TheStage().mutex);
  TheStage().wishes = std::move(wishes);
}

Bytes Published() {
  const std::lock_guard lock(TheStage().mutex);
  return TheStage().published;
}

std::vector<std::string> FilterSettings() {
  const std::lock_guard lock(TheStage().mutex);
  return TheStage().settings;
}

std::vector<Piece> Cut(const Bytes& bytes, std::size_t size) {
  std::vector<Piece> pieces;
  for (std::size_t at = 0; at < bytes.size(); at += size) {
    const std::size_t end = std::min(at + size, bytes.size());
    pieces.push_back({Bytes(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                            bytes.begin() + static_cast<std::ptrdiff_t>(end))});
  }
  return pieces;
}

}  // namespace framelock::stream::fake

using framelock::stream::fake::AtEnd;
using framelock::stream::fake::TheStage;

extern "C" {

// tricklesrc ------------------------------------------------------------------------------------

typedef struct {
  GstPushSrc parent;
} FakeTrickleSrc;
typedef struct {
  GstPushSrcClass parent;
} FakeTrickleSrcClass;
G_DEFINE_TYPE(FakeTrickleSrc, fake_trickle_src, GST_TYPE_PUSH_SRC)

static GstStaticPadTemplate any_src =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
static GstStaticPadTemplate any_sink =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

static GstFlowReturn fake_trickle_src_create(GstPushSrc* /*base*/, GstBuffer** buffer) {
  auto& stage = TheStage();
  std::unique_lock lock(stage.mutex);
  if (stage.next == stage.pieces.size()) {
    if (stage.at_end == AtEnd::kEndOfStream) return GST_FLOW_EOS;
    stage.changed.wait(lock, [&] { return stage.unlocked; });
    return GST_FLOW_FLUSHING;
  }
  const auto& piece = stage.pieces[stage.next++];
  stage.changed.wait_for(lock, piece.after, [&] { return stage.unlocked; });
  *buffer = gst_buffer_new_memdup(piece.bytes.data(), piece.bytes.size());
  if (piece.discontinuity) GST_BUFFER_FLAG_SET(*buffer, GST_BUFFER_FLAG_DISCONT);
  return GST_FLOW_OK;
}

static void fake_trickle_src_set_unlocked(bool unlocked) {
  auto& stage = TheStage();
  const std::lock_guard lock(stage.mutex);
  stage.unlocked = unlocked;
  stage.changed.notify_all();
}

static gboolean fake_trickle_src_unlock(GstBaseSrc* /*base*/) {
  fake_trickle_src_set_unlocked(true);
  return TRUE;
}

static gboolean fake_trickle_src_unlock_stop(GstBaseSrc* /*base*/) {
  fake_trickle_src_set_unlocked(false);
  return TRUE;
}

static gboolean fake_trickle_src_is_seekable(GstBaseSrc* /*base*/) { return FALSE; }

static void fake_ignore(GObject* /*object*/, guint /*id*/, const GValue* /*value*/,
                        GParamSpec* /*spec*/) {}

static void fake_add_text(GObjectClass* object, guint id, const char* name) {
  g_object_class_install_property(object, id,
                                  g_param_spec_string(name, name, name, nullptr, G_PARAM_WRITABLE));
}

static void fake_trickle_src_class_init(FakeTrickleSrcClass* klass) {
  G_OBJECT_CLASS(klass)->set_property = fake_ignore;
  fake_add_text(G_OBJECT_CLASS(klass), 1, "location");
  GstBaseSrcClass* base = GST_BASE_SRC_CLASS(klass);
  base->unlock = fake_trickle_src_unlock;
  base->unlock_stop = fake_trickle_src_unlock_stop;
  base->is_seekable = fake_trickle_src_is_seekable;
  GST_PUSH_SRC_CLASS(klass)->create = fake_trickle_src_create;
  gst_element_class_add_static_pad_template(GST_ELEMENT_CLASS(klass), &any_src);
  gst_element_class_set_static_metadata(GST_ELEMENT_CLASS(klass), "f", "Source", "f", "f");
}

static void fake_trickle_src_init(FakeTrickleSrc* self) {
  gst_base_src_set_live(GST_BASE_SRC(self), TRUE);
}

// tricklesink -----------------------------------------------------------------------------------

typedef struct {
  GstBaseSink parent;
} FakeTrickleSink;
typedef struct {
  GstBaseSinkClass parent;
} FakeTrickleSinkClass;
G_DEFINE_TYPE(FakeTrickleSink, fake_trickle_sink, GST_TYPE_BASE_SINK)

static GstFlowReturn fake_trickle_sink_render(GstBaseSink* /*base*/, GstBuffer* buffer) {
  GstMapInfo map;
  gst_buffer_map(buffer, &map, GST_MAP_READ);
  auto& stage = TheStage();
  const std::lock_guard lock(stage.mutex);
  stage.published.insert(stage.published.end(), map.data, map.data + map.size);
  gst_buffer_unmap(buffer, &map);
  return GST_FLOW_OK;
}

static void fake_trickle_sink_class_init(FakeTrickleSinkClass* klass) {
  G_OBJECT_CLASS(klass)->set_property = fake_ignore;
  fake_add_text(G_OBJECT_CLASS(klass), 1, "location");
  GST_BASE_SINK_CLASS(klass)->render = fake_trickle_sink_render;
  gst_element_class_add_static_pad_template(GST_ELEMENT_CLASS(klass), &any_sink);
  gst_element_class_set_static_metadata(GST_ELEMENT_CLASS(klass), "f", "Sink", "f", "f");
}

static void fake_trickle_sink_init(FakeTrickleSink* /*self*/) {}

// workerfilter ----------------------------------------------------------------------------------

typedef struct {
  GstVideoFilter parent;
  guint64 inputs;  // written by the streaming thread, read by the stats property
} FakeFilter;
typedef struct {
  GstVideoFilterClass parent;
} FakeFilterClass;
G_DEFINE_TYPE(FakeFilter, fake_filter, GST_TYPE_VIDEO_FILTER)

enum {
  FILTER_LENT = 1,
  FILTER_FD,
  FILTER_IN_FLIGHT,
  FILTER_MISSING,
  FILTER_PROMPT,
  FILTER_STATS,
  FILTER_CADENCE,
  FILTER_RELEASE,
  FILTER_TIMEOUTS,  // and what follows it
};

static void fake_filter_set_property(GObject* /*object*/, guint id, const GValue* value,
                                     GParamSpec* spec) {
  if (id == FILTER_FD) ::close(g_value_get_int(value));
  gchar* text = g_strdup_value_contents(value);
  framelock::stream::fake::Note(std::string(spec->name) + "=" +
                                (id == FILTER_FD ? "socket" : text));
  g_free(text);
}

static void fake_filter_get_property(GObject* object, guint /*id*/, GValue* value,
                                     GParamSpec* /*spec*/) {
  const guint64 inputs =
      __atomic_load_n(&reinterpret_cast<FakeFilter*>(object)->inputs, __ATOMIC_RELAXED);
  g_value_take_boxed(value, gst_structure_new("stats", "inputs", G_TYPE_UINT64, inputs, "completed",
                                              G_TYPE_UINT64, inputs, "worker-state", G_TYPE_STRING,
                                              "ready", "worker-pid", G_TYPE_INT, 4711, nullptr));
}

static void fake_filter_wish(GstElement* filter, int pictures) {
  for (const auto& wish : TheStage().wishes) {
    if (wish.pictures != pictures) continue;
    GstPad* pad = gst_element_get_static_pad(filter, "sink");
    GstStructure* size =
        gst_structure_new("framelock-size", "width", G_TYPE_UINT, guint(wish.width), "height",
                          G_TYPE_UINT, guint(wish.height), nullptr);
    gst_pad_push_event(pad, gst_event_new_custom(GST_EVENT_CUSTOM_UPSTREAM, size));
    gst_object_unref(pad);
  }
}

static GstFlowReturn fake_filter_invert(GstVideoFilter* filter, GstVideoFrame* frame) {
  const int row = GST_VIDEO_FRAME_WIDTH(frame) * 3;
  auto* pixels = static_cast<guint8*>(GST_VIDEO_FRAME_PLANE_DATA(frame, 0));
  for (int y = 0; y < GST_VIDEO_FRAME_HEIGHT(frame); ++y) {
    guint8* line = pixels + y * GST_VIDEO_FRAME_PLANE_STRIDE(frame, 0);
    for (int x = 0; x < row; ++x) line[x] = 255 - line[x];
  }
  const auto number = static_cast<int>(
      __atomic_fetch_add(&reinterpret_cast<FakeFilter*>(filter)->inputs, 1, __ATOMIC_RELAXED));
  fake_filter_wish(GST_ELEMENT(filter), number + 1);
  const auto& stage = TheStage();
  const bool lost = number >= stage.first_lost && number <= stage.last_lost;
  return lost ? GST_BASE_TRANSFORM_FLOW_DROPPED : GST_FLOW_OK;
}

static GstStructure* fake_filter_update(FakeFilter* /*self*/, const GstStructure* what) {
  guint width = 0;
  if (gst_structure_get_uint(what, "width", &width)) {
    framelock::stream::fake::Note("update width=" + std::to_string(width));
  }
  const gboolean applied = strcmp(gst_structure_get_string(what, "prompt"), "good") == 0;
  return gst_structure_new("framelock-prompt-result", "applied", G_TYPE_BOOLEAN, applied,
                           "revision", G_TYPE_UINT64, guint64{2}, "errors", G_TYPE_STRING,
                           applied ? "" : R"({"1":{"errors":[]}})", nullptr);
}

static void fake_filter_class_init(FakeFilterClass* klass) {
  GObjectClass* object = G_OBJECT_CLASS(klass);
  object->set_property = fake_filter_set_property;
  object->get_property = fake_filter_get_property;
  g_object_class_install_property(object, FILTER_LENT,
                                  g_param_spec_boolean("lent", "l", "l", FALSE, G_PARAM_WRITABLE));
  g_object_class_install_property(
      object, FILTER_FD,
      g_param_spec_int("worker-fd", "w", "w", -1, G_MAXINT, -1, G_PARAM_WRITABLE));
  g_object_class_install_property(
      object, FILTER_IN_FLIGHT,
      g_param_spec_uint("max-in-flight", "m", "m", 1, 16, 1, G_PARAM_WRITABLE));
  guint id = FILTER_TIMEOUTS;
  for (const char* name : {"heartbeat-timeout", "first-frame-timeout", "frame-timeout",
                           "frame-timeout-factor", "load-timeout", "prompt-timeout", "latency"}) {
    g_object_class_install_property(
        object, id++, g_param_spec_uint(name, "t", "t", 0, G_MAXUINT, 0, G_PARAM_WRITABLE));
  }
  fake_add_text(object, FILTER_MISSING, "on-missing");
  fake_add_text(object, FILTER_CADENCE, "cadence");
  fake_add_text(object, FILTER_RELEASE, "release");
  fake_add_text(object, FILTER_PROMPT, "prompt-file");
  g_object_class_install_property(
      object, FILTER_STATS,
      g_param_spec_boxed("stats", "s", "s", GST_TYPE_STRUCTURE, G_PARAM_READABLE));
  g_signal_new_class_handler("update", G_TYPE_FROM_CLASS(klass),
                             static_cast<GSignalFlags>(G_SIGNAL_RUN_LAST | G_SIGNAL_ACTION),
                             G_CALLBACK(fake_filter_update), nullptr, nullptr, nullptr,
                             GST_TYPE_STRUCTURE, 1, GST_TYPE_STRUCTURE);
  GST_VIDEO_FILTER_CLASS(klass)->transform_frame_ip = fake_filter_invert;
  GstElementClass* element = GST_ELEMENT_CLASS(klass);
  GstCaps* caps = gst_caps_from_string("video/x-raw,format=RGB");
  gst_element_class_add_pad_template(
      element, gst_pad_template_new("src", GST_PAD_SRC, GST_PAD_ALWAYS, caps));
  gst_element_class_add_pad_template(
      element, gst_pad_template_new("sink", GST_PAD_SINK, GST_PAD_ALWAYS, caps));
  gst_caps_unref(caps);
  gst_element_class_set_static_metadata(element, "f", "Filter", "f", "f");
}

static void fake_filter_init(FakeFilter* /*self*/) {}

}  // extern "C"

void framelock::stream::fake::Register() {
  gst_element_register(nullptr, "tricklesrc", GST_RANK_PRIMARY, fake_trickle_src_get_type());
  gst_element_register(nullptr, "tricklesink", GST_RANK_PRIMARY, fake_trickle_sink_get_type());
  gst_element_register(nullptr, "workerfilter", GST_RANK_PRIMARY, fake_filter_get_type());
}
