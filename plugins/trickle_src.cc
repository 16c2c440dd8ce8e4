// SPDX-License-Identifier: Apache-2.0
#include "plugins/trickle_src.h"

#include <array>
#include <memory>
#include <mutex>
#include <utility>

#include "pipeline/core/clock.h"
#include "plugins/byte_buffer.h"
#include "plugins/location_uri.h"
#include "plugins/option_property.h"
#include "plugins/resource_error.h"
#include "plugins/ts_timeline.h"
#include "trickle/subscriber.h"

GST_DEBUG_CATEGORY_STATIC(framelock_trickle_src_debug);
#define GST_CAT_DEFAULT framelock_trickle_src_debug

namespace plugins = framelock::plugins;
namespace trickle = framelock::trickle;
using framelock::ErrorCode;

namespace {

constexpr const char* kDescription =
    "Reads a live trickle channel (HTTP, segment by segment, each while it is written). After "
    "missed segments it sets DISCONT and posts the element message \"trickle-gap\" (uint64: "
    "missed-segments, segment-seq; boolean: new-timeline); it ends with the channel. For playback "
    "in time set do-timestamp=true; without it tsdemux keeps the distances of all timestamps exact";
constexpr const char* kDefaultCaps =
    "video/mpegts, systemstream=(boolean)true, packetsize=(int)188";

enum : guint {
  PROP_0,
  PROP_LOCATION,
  PROP_START,
  PROP_START_SEQ,
  PROP_CAPS,
  PROP_STATS,
  PROP_OPTION
};

using Options = trickle::SubscriberOptions;
const std::array<plugins::OptionProperty<Options>, 8> kOptions = {{
    {"queue-bytes", "Queue size",
     "Most bytes read ahead; full: the connection stops reading, so the server waits",
     &Options::queue_bytes, 4096},
    {"max-segment-bytes", "Longest segment", "A longer segment is cut off there, which is a gap",
     &Options::max_segment_bytes, 4096},
    {"connect-timeout", "Connect timeout", "Longest wait for a connection (ms)",
     &Options::connect_timeout, 1},
    {"reissue-interval", "Re-issue interval",
     "A request that waits for its segment is asked again after this (ms)",
     &Options::reissue_waiting_get, 1},
    {"retry-initial", "First retry", "Wait before the first retry; doubles each time (ms)",
     &Options::retry_initial, 1},
    {"retry-max", "Longest retry wait", "Longest wait between two retries (ms)",
     &Options::retry_max, 1},
    {"give-up-after", "Give up after",
     "Post an error after this long without contact or channel; 0: never (ms)",
     &Options::give_up_after},
    {"verify-tls", "Verify TLS", "Check the server's certificate (https only)",
     &Options::verify_tls},
}};

struct State {
  std::mutex mutex;
  Options options;
  std::string location;  // as set
  GstCaps* caps = gst_caps_from_string(kDefaultCaps);
  std::shared_ptr<trickle::Subscriber> subscriber;  // while started
  trickle::SubscriberStats last_stats;              // of the last run
  // Streaming thread only.
  guint64 offset = 0;
  guint64 missed_segments = 0;  // reported so far
  plugins::TsTimeline timeline;

  ~State() { gst_caps_replace(&caps, nullptr); }

  Options OptionsNow() {
    const std::lock_guard lock(mutex);
    return options;
  }
  std::shared_ptr<trickle::Subscriber> Running() {
    const std::lock_guard lock(mutex);
    return subscriber;
  }
  trickle::SubscriberStats Stats() {
    const std::lock_guard lock(mutex);
    return subscriber ? subscriber->stats() : last_stats;
  }
};

GType StartType() {
  static const GType type = [] {
    static const std::array<GEnumValue, 3> values = {{
        {static_cast<gint>(trickle::StartAt::kCurrent),
         "The segment being written now, from its beginning", "current"},
        {static_cast<gint>(trickle::StartAt::kNext), "The next segment", "next"},
        {0, nullptr, nullptr},
    }};
    return g_enum_register_static("FramelockTrickleStart", values.data());
  }();
  return type;
}

GstStructure* StatsStructure(const trickle::SubscriberStats& stats) {
  return gst_structure_new("framelock-tricklesrc-stats", "bytes", G_TYPE_UINT64, stats.bytes,
                           "segments", G_TYPE_UINT64, stats.segments, "empty-segments",
                           G_TYPE_UINT64, stats.empty_segments, "missed-segments", G_TYPE_UINT64,
                           stats.missed_segments, "reconnects", G_TYPE_UINT64, stats.reconnects,
                           "connections", G_TYPE_UINT64, stats.connections, "resets", G_TYPE_UINT64,
                           stats.resets, "segment-seq", G_TYPE_UINT64, stats.segment_seq,
                           "queued-bytes", G_TYPE_UINT64, static_cast<guint64>(stats.queued_bytes),
                           "last-error", G_TYPE_STRING, stats.last_error.c_str(), nullptr);
}

}  // namespace

struct _FramelockTrickleSrc {
  GstPushSrc parent;
  State* state;
};

G_DEFINE_TYPE_WITH_CODE(FramelockTrickleSrc, framelock_trickle_src, GST_TYPE_PUSH_SRC,
                        plugins::AddTrickleSourceUri(g_define_type_id))

static gboolean framelock_trickle_src_start(GstBaseSrc* base) {
  State& state = *FRAMELOCK_TRICKLE_SRC(base)->state;
  // From bytes tsdemux makes timestamps with exact distances; from buffers with arrival times it
  // makes ones that follow the clock and so drift against each other.
  gst_base_src_set_format(base,
                          gst_base_src_get_do_timestamp(base) ? GST_FORMAT_TIME : GST_FORMAT_BYTES);
  state.offset = 0;
  state.missed_segments = 0;
  state.timeline = {};
  auto subscriber = trickle::Subscriber::Open(state.OptionsNow());
  if (!subscriber) {
    plugins::PostReadError(GST_ELEMENT(base), subscriber.error());
    return FALSE;
  }
  const std::lock_guard lock(state.mutex);
  state.subscriber = std::move(*subscriber);
  return TRUE;
}

static gboolean framelock_trickle_src_stop(GstBaseSrc* base) {
  State& state = *FRAMELOCK_TRICKLE_SRC(base)->state;
  std::shared_ptr<trickle::Subscriber> ended;  // joins its thread, so not under the lock
  const std::lock_guard lock(state.mutex);
  ended = std::move(state.subscriber);
  if (ended) state.last_stats = ended->stats();
  return TRUE;
}

static gboolean framelock_trickle_src_unlock(GstBaseSrc* base) {
  if (auto subscriber = FRAMELOCK_TRICKLE_SRC(base)->state->Running()) subscriber->Interrupt();
  return TRUE;
}

static gboolean framelock_trickle_src_unlock_stop(GstBaseSrc* base) {
  if (auto subscriber = FRAMELOCK_TRICKLE_SRC(base)->state->Running()) subscriber->Resume();
  return TRUE;
}

static void framelock_trickle_src_report_gap(FramelockTrickleSrc* self, guint64 missed_in_all,
                                             guint64 segment_seq, gboolean new_timeline) {
  const guint64 missed = missed_in_all - std::exchange(self->state->missed_segments, missed_in_all);
  GST_INFO_OBJECT(self, "%" G_GUINT64_FORMAT " segments missed before segment %" G_GUINT64_FORMAT,
                  missed, segment_seq);
  GstStructure* gap = gst_structure_new("trickle-gap", "missed-segments", G_TYPE_UINT64, missed,
                                        "segment-seq", G_TYPE_UINT64, segment_seq, "new-timeline",
                                        G_TYPE_BOOLEAN, new_timeline, nullptr);
  gst_element_post_message(GST_ELEMENT(self), gst_message_new_element(GST_OBJECT(self), gap));
}

static GstFlowReturn framelock_trickle_src_create(GstPushSrc* base, GstBuffer** buffer) {
  FramelockTrickleSrc* self = FRAMELOCK_TRICKLE_SRC(base);
  State& state = *self->state;
  const auto subscriber = state.Running();
  if (!subscriber) return GST_FLOW_FLUSHING;
  auto piece = subscriber->Read();
  while (!piece && piece.error().code == ErrorCode::kTimeout) piece = subscriber->Read();
  if (!piece) {
    if (piece.error().code == ErrorCode::kCancelled) return GST_FLOW_FLUSHING;
    if (piece.error().code == ErrorCode::kClosed) return GST_FLOW_EOS;
    plugins::PostReadError(GST_ELEMENT(self), piece.error());
    return GST_FLOW_ERROR;
  }
  const framelock::SteadyTime now = framelock::Clock::System().Now();
  bool same_timeline = true;
  if (piece->discontinuity) {
    same_timeline = state.timeline.PushAfterHole(piece->bytes, now);
    framelock_trickle_src_report_gap(self, subscriber->stats().missed_segments, piece->segment_seq,
                                     same_timeline ? FALSE : TRUE);
  } else {
    state.timeline.Push(piece->bytes, now);
  }
  const gsize size = piece->bytes.size();
  *buffer = plugins::WrapBytes(std::move(piece->bytes));
  GST_BUFFER_OFFSET(*buffer) = state.offset;
  GST_BUFFER_OFFSET_END(*buffer) = state.offset += size;
  // A new timeline is for tsdemux to find by itself: see TsTimeline.
  if (piece->discontinuity && same_timeline) {
    GST_BUFFER_FLAG_SET(*buffer, GST_BUFFER_FLAG_DISCONT);
  }
  return GST_FLOW_OK;
}

static GstCaps* framelock_trickle_src_get_caps(GstBaseSrc* base, GstCaps* filter) {
  State& state = *FRAMELOCK_TRICKLE_SRC(base)->state;
  const std::lock_guard lock(state.mutex);
  GstCaps* caps = state.caps == nullptr ? gst_caps_new_any() : gst_caps_ref(state.caps);
  if (filter == nullptr) return caps;
  GstCaps* both = gst_caps_intersect_full(filter, caps, GST_CAPS_INTERSECT_FIRST);
  gst_caps_unref(caps);
  return both;
}

static gboolean framelock_trickle_src_is_seekable(GstBaseSrc* /*base*/) { return FALSE; }

static void framelock_trickle_src_set_property(GObject* object, guint id, const GValue* value,
                                               GParamSpec* spec) {
  State& state = *FRAMELOCK_TRICKLE_SRC(object)->state;
  const std::lock_guard lock(state.mutex);
  switch (id) {
    case PROP_LOCATION: {
      const gchar* location = g_value_get_string(value);
      state.location = location == nullptr ? "" : location;
      state.options.url = plugins::HttpFromTrickleUri(state.location);
      break;
    }
    case PROP_START:
      state.options.start = static_cast<trickle::StartAt>(g_value_get_enum(value));
      break;
    case PROP_START_SEQ: {
      const gint64 seq = g_value_get_int64(value);
      state.options.start_seq.reset();
      if (seq >= 0) state.options.start_seq = static_cast<std::uint64_t>(seq);
      break;
    }
    case PROP_CAPS:
      gst_caps_replace(&state.caps, const_cast<GstCaps*>(gst_value_get_caps(value)));
      break;
    default:
      if (id >= PROP_OPTION && id < PROP_OPTION + kOptions.size()) {
        plugins::SetOption(state.options, kOptions[id - PROP_OPTION], value);
      } else {
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
      }
  }
}

static void framelock_trickle_src_get_property(GObject* object, guint id, GValue* value,
                                               GParamSpec* spec) {
  State& state = *FRAMELOCK_TRICKLE_SRC(object)->state;
  if (id == PROP_STATS) {
    g_value_take_boxed(value, StatsStructure(state.Stats()));
    return;
  }
  const std::lock_guard lock(state.mutex);
  switch (id) {
    case PROP_LOCATION:
      g_value_set_string(value, state.location.empty() ? nullptr : state.location.c_str());
      break;
    case PROP_START:
      g_value_set_enum(value, static_cast<gint>(state.options.start));
      break;
    case PROP_START_SEQ:
      g_value_set_int64(
          value, state.options.start_seq ? static_cast<gint64>(*state.options.start_seq) : -1);
      break;
    case PROP_CAPS:
      gst_value_set_caps(value, state.caps);
      break;
    default:
      if (id >= PROP_OPTION && id < PROP_OPTION + kOptions.size()) {
        plugins::GetOption(state.options, kOptions[id - PROP_OPTION], value);
      } else {
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
      }
  }
}

static void framelock_trickle_src_finalize(GObject* object) {
  delete FRAMELOCK_TRICKLE_SRC(object)->state;
  G_OBJECT_CLASS(framelock_trickle_src_parent_class)->finalize(object);
}

static void framelock_trickle_src_install_properties(GObjectClass* klass) {
  g_object_class_install_property(
      klass, PROP_LOCATION,
      g_param_spec_string("location", "Location",
                          "Channel to read: http(s)://HOST:PORT/BASE/CHANNEL, or the same with "
                          "trickle(s)://",
                          nullptr, plugins::kOptionFlags));
  g_object_class_install_property(
      klass, PROP_START,
      g_param_spec_enum("start", "Start", "Where to join the channel", StartType(),
                        static_cast<gint>(trickle::StartAt::kCurrent), plugins::kOptionFlags));
  g_object_class_install_property(
      klass, PROP_START_SEQ,
      g_param_spec_int64("start-seq", "Start sequence",
                         "Join at the segment of this number; -1: as \"start\" says", -1,
                         G_MAXINT64, -1, plugins::kOptionFlags));
  g_object_class_install_property(
      klass, PROP_CAPS,
      g_param_spec_boxed("caps", "Caps", "What the channel carries; NULL: let downstream find out",
                         GST_TYPE_CAPS, plugins::kOptionFlags));
  g_object_class_install_property(
      klass, PROP_STATS,
      g_param_spec_boxed(
          "stats", "Statistics",
          "Figures of this run, or of the last one. uint64: bytes, segments (ended ones), "
          "empty-segments, missed-segments, reconnects (requests repeated), connections, resets "
          "(the numbering went back), segment-seq (of the last bytes), queued-bytes; string: "
          "last-error",
          GST_TYPE_STRUCTURE, static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)));
  plugins::InstallOptionProperties<Options>(klass, kOptions, PROP_OPTION);
}

static void framelock_trickle_src_class_init(FramelockTrickleSrcClass* klass) {
  static GstStaticPadTemplate src_template =
      GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
  GObjectClass* object = G_OBJECT_CLASS(klass);
  object->set_property = framelock_trickle_src_set_property;
  object->get_property = framelock_trickle_src_get_property;
  object->finalize = framelock_trickle_src_finalize;
  framelock_trickle_src_install_properties(object);

  GstBaseSrcClass* base = GST_BASE_SRC_CLASS(klass);
  base->start = framelock_trickle_src_start;
  base->stop = framelock_trickle_src_stop;
  base->unlock = framelock_trickle_src_unlock;
  base->unlock_stop = framelock_trickle_src_unlock_stop;
  base->get_caps = framelock_trickle_src_get_caps;
  base->is_seekable = framelock_trickle_src_is_seekable;
  GST_PUSH_SRC_CLASS(klass)->create = framelock_trickle_src_create;

  GstElementClass* element = GST_ELEMENT_CLASS(klass);
  gst_element_class_add_static_pad_template(element, &src_template);
  gst_element_class_set_static_metadata(element, "Trickle source", "Source/Network", kDescription,
                                        "Framelock");
  gst_type_mark_as_plugin_api(StartType(), static_cast<GstPluginAPIFlags>(0));
  GST_DEBUG_CATEGORY_INIT(framelock_trickle_src_debug, "tricklesrc", 0, "trickle source");
}

static void framelock_trickle_src_init(FramelockTrickleSrc* self) {
  self->state = new State;
  gst_base_src_set_live(GST_BASE_SRC(self), TRUE);
}

gboolean framelock_trickle_src_register(GstPlugin* plugin) {
  return gst_element_register(plugin, "tricklesrc", GST_RANK_PRIMARY,
                              framelock_trickle_src_get_type());
}
