// SPDX-License-Identifier: Apache-2.0
#include "plugins/trickle_sink.h"

#include <array>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "plugins/location_uri.h"
#include "plugins/option_property.h"
#include "plugins/resource_error.h"
#include "plugins/segment_cutter.h"
#include "trickle/publisher.h"

GST_DEBUG_CATEGORY_STATIC(framelock_trickle_sink_debug);
#define GST_CAT_DEFAULT framelock_trickle_sink_debug

namespace plugins = framelock::plugins;
namespace trickle = framelock::trickle;
using framelock::ErrorCode;
using framelock::Status;
using plugins::SegmentCutter;

namespace {

constexpr const char* kDescription =
    "Publishes a live trickle channel (HTTP, segment by segment, each while it is made). Never "
    "waits for the network: what its queue cannot hold is dropped as whole segments, counted. At "
    "EOS it ends the channel";
enum : guint { PROP_0, PROP_LOCATION, PROP_MIN_SEGMENT_DURATION, PROP_STATS, PROP_OPTION };

using Options = trickle::PublisherOptions;
const std::array<plugins::OptionProperty<Options>, 12> kOptions = {{
    {"content-type", "Content type",
     "MIME type of the channel. video/mp2t: segments are cut at keyframes, each with PAT and PMT; "
     "others: at each buffer that is not a delta unit",
     &Options::content_type},
    {"create-channel", "Create channel", "Create the channel first (POST)",
     &Options::create_channel},
    {"delete-channel", "Delete channel", "Delete the channel at EOS, which ends its readers",
     &Options::delete_channel},
    {"resume-numbering", "Resume numbering",
     "Go on after the last segment of an existing channel instead of starting at 0",
     &Options::resume_numbering},
    {"queue-bytes", "Queue size",
     "Most bytes waiting for the network; full: whole segments that were not begun are dropped, "
     "oldest first",
     &Options::queue_bytes, 4096},
    {"connect-timeout", "Connect timeout", "Longest wait for a connection (ms)",
     &Options::connect_timeout, 1},
    {"retry-initial", "First retry", "Wait before the first retry; doubles each time (ms)",
     &Options::retry_initial, 1},
    {"retry-max", "Longest retry wait", "Longest wait between two retries (ms)",
     &Options::retry_max, 1},
    {"give-up-after", "Give up after",
     "Post an error after this long without the server; 0: never (ms)", &Options::give_up_after},
    {"answer-timeout", "Answer timeout", "Longest wait from a request's end to its answer (ms)",
     &Options::answer_timeout, 1},
    {"close-timeout", "Close timeout",
     "Longest wait at EOS for the last bytes and the channel's deletion (ms)",
     &Options::close_timeout},
    {"verify-tls", "Verify TLS", "Check the server's certificate (https only)",
     &Options::verify_tls},
}};

struct Stats {
  trickle::PublisherStats publisher;
  guint64 skipped_packets = 0;
  guint64 skipped_bytes = 0;
};

struct State {
  std::mutex mutex;
  Options options;
  std::string location;  // as set
  std::chrono::nanoseconds min_segment_duration{0};
  std::shared_ptr<trickle::Publisher> publisher;  // while started
  Stats stats;                                    // of the last run; the skipped ones are live
  std::unique_ptr<SegmentCutter> cutter;          // streaming thread only

  std::shared_ptr<trickle::Publisher> Running() {
    const std::lock_guard lock(mutex);
    return publisher;
  }
  Stats StatsNow() {
    const std::lock_guard lock(mutex);
    Stats now = stats;
    if (publisher) now.publisher = publisher->stats();
    return now;
  }
};

GstStructure* StatsStructure(const Stats& stats) {
  const trickle::PublisherStats& p = stats.publisher;
  return gst_structure_new(
      "framelock-tricklesink-stats", "bytes", G_TYPE_UINT64, p.bytes, "segments", G_TYPE_UINT64,
      p.segments, "dropped-segments", G_TYPE_UINT64, p.dropped_segments, "reposted-segments",
      G_TYPE_UINT64, p.reposted_segments, "reconnects", G_TYPE_UINT64, p.reconnects, "connections",
      G_TYPE_UINT64, p.connections, "segment-seq", G_TYPE_UINT64, p.segment_seq, "queued-bytes",
      G_TYPE_UINT64, static_cast<guint64>(p.queued_bytes), "skipped-packets", G_TYPE_UINT64,
      stats.skipped_packets, "skipped-bytes", G_TYPE_UINT64, stats.skipped_bytes, "last-error",
      G_TYPE_STRING, p.last_error.c_str(), nullptr);
}

}  // namespace

struct _FramelockTrickleSink {
  GstBaseSink parent;
  State* state;
};

G_DEFINE_TYPE_WITH_CODE(FramelockTrickleSink, framelock_trickle_sink, GST_TYPE_BASE_SINK,
                        plugins::AddTrickleSinkUri(g_define_type_id))

static gboolean framelock_trickle_sink_start(GstBaseSink* base) {
  State& state = *FRAMELOCK_TRICKLE_SINK(base)->state;
  Options options;
  {
    const std::lock_guard lock(state.mutex);
    options = state.options;
    state.stats = {};
    state.cutter = std::make_unique<SegmentCutter>(plugins::IsTransportStream(options.content_type)
                                                       ? SegmentCutter::Payload::kTransportStream
                                                       : SegmentCutter::Payload::kOther,
                                                   state.min_segment_duration);
  }
  auto publisher = trickle::Publisher::Open(std::move(options));
  if (!publisher) {
    plugins::PostWriteError(GST_ELEMENT(base), publisher.error());
    return FALSE;
  }
  const std::lock_guard lock(state.mutex);
  state.publisher = std::move(*publisher);
  return TRUE;
}

static gboolean framelock_trickle_sink_stop(GstBaseSink* base) {
  State& state = *FRAMELOCK_TRICKLE_SINK(base)->state;
  std::shared_ptr<trickle::Publisher> ended;  // joins its thread, so not under the lock
  const std::lock_guard lock(state.mutex);
  ended = std::move(state.publisher);
  if (ended) state.stats.publisher = ended->stats();
  return TRUE;
}

static gboolean framelock_trickle_sink_unlock(GstBaseSink* base) {
  if (auto publisher = FRAMELOCK_TRICKLE_SINK(base)->state->Running()) publisher->Interrupt();
  return TRUE;
}

static gboolean framelock_trickle_sink_unlock_stop(GstBaseSink* base) {
  if (auto publisher = FRAMELOCK_TRICKLE_SINK(base)->state->Running()) publisher->Resume();
  return TRUE;
}

static gboolean framelock_trickle_sink_set_caps(GstBaseSink* base, GstCaps* caps) {
  State& state = *FRAMELOCK_TRICKLE_SINK(base)->state;
  std::string content_type;
  {
    const std::lock_guard lock(state.mutex);
    content_type = state.options.content_type;
  }
  const GstStructure* structure = gst_caps_get_structure(caps, 0);
  if (!plugins::IsTransportStream(content_type) ||
      gst_structure_has_name(structure, "video/mpegts")) {
    return TRUE;
  }
  GST_ELEMENT_ERROR(base, STREAM, WRONG_TYPE,
                    ("content-type is %s, but upstream sends %s", content_type.c_str(),
                     gst_structure_get_name(structure)),
                    ("caps: %" GST_PTR_FORMAT, caps));
  return FALSE;
}

static Status framelock_trickle_sink_publish(trickle::Publisher& publisher,
                                             const std::vector<SegmentCutter::Chunk>& chunks) {
  for (const SegmentCutter::Chunk& chunk : chunks) {
    if (chunk.starts_segment) {
      if (Status begun = publisher.BeginSegment(); !begun) return begun;
    }
    if (Status written = publisher.Write(chunk.bytes); !written) return written;
  }
  return {};
}

static GstFlowReturn framelock_trickle_sink_finish(
    FramelockTrickleSink* self, const std::vector<SegmentCutter::Chunk>& chunks) {
  State& state = *self->state;
  const auto publisher = state.Running();
  if (!publisher) return GST_FLOW_FLUSHING;
  {
    const std::lock_guard lock(state.mutex);
    state.stats.skipped_packets = state.cutter->skipped_packets();
    state.stats.skipped_bytes = state.cutter->skipped_bytes();
  }
  const Status status = framelock_trickle_sink_publish(*publisher, chunks);
  if (status) return GST_FLOW_OK;
  plugins::PostWriteError(GST_ELEMENT(self), status.error());
  return GST_FLOW_ERROR;
}

static GstFlowReturn framelock_trickle_sink_unreadable(FramelockTrickleSink* self) {
  plugins::PostWriteError(GST_ELEMENT(self),
                          {ErrorCode::kInternal, "a buffer's memory cannot be read"});
  return GST_FLOW_ERROR;
}

static GstFlowReturn framelock_trickle_sink_render(GstBaseSink* base, GstBuffer* buffer) {
  FramelockTrickleSink* self = FRAMELOCK_TRICKLE_SINK(base);
  std::vector<SegmentCutter::Chunk> chunks;
  if (!self->state->cutter->Push(buffer, chunks)) return framelock_trickle_sink_unreadable(self);
  return framelock_trickle_sink_finish(self, chunks);
}

static GstFlowReturn framelock_trickle_sink_render_list(GstBaseSink* base, GstBufferList* list) {
  FramelockTrickleSink* self = FRAMELOCK_TRICKLE_SINK(base);
  std::vector<SegmentCutter::Chunk> chunks;
  for (guint i = 0; i < gst_buffer_list_length(list); ++i) {
    if (!self->state->cutter->Push(gst_buffer_list_get(list, i), chunks)) {
      return framelock_trickle_sink_unreadable(self);
    }
  }
  return framelock_trickle_sink_finish(self, chunks);
}

static gboolean framelock_trickle_sink_event(GstBaseSink* base, GstEvent* event) {
  State& state = *FRAMELOCK_TRICKLE_SINK(base)->state;
  const auto publisher = state.Running();
  if (GST_EVENT_TYPE(event) == GST_EVENT_EOS && publisher) {
    const Status closed = publisher->Close();
    if (state.cutter->found_nothing()) {
      plugins::PostWriteError(
          GST_ELEMENT(base), {ErrorCode::kInvalidArgument,
                              "nothing was sent: upstream made no MPEG-TS keyframe to begin with"});
    }
    const bool lost = !closed && closed.error().code != ErrorCode::kCancelled &&
                      closed.error().code != ErrorCode::kClosed;
    // A close that was not answered is the peer's business, bytes that were not sent are ours.
    if (lost && publisher->stats().queued_bytes > 0) {
      plugins::PostWriteError(GST_ELEMENT(base), closed.error());
    } else if (lost) {
      GST_INFO_OBJECT(base, "close: %s", closed.error().message.c_str());
    }
  }
  return GST_BASE_SINK_CLASS(framelock_trickle_sink_parent_class)->event(base, event);
}

static void framelock_trickle_sink_set_property(GObject* object, guint id, const GValue* value,
                                                GParamSpec* spec) {
  State& state = *FRAMELOCK_TRICKLE_SINK(object)->state;
  const std::lock_guard lock(state.mutex);
  if (id == PROP_LOCATION) {
    const gchar* location = g_value_get_string(value);
    state.location = location == nullptr ? "" : location;
    state.options.url = plugins::HttpFromTrickleUri(state.location);
  } else if (id == PROP_MIN_SEGMENT_DURATION) {
    state.min_segment_duration = std::chrono::nanoseconds(g_value_get_uint64(value));
  } else if (id >= PROP_OPTION && id < PROP_OPTION + kOptions.size()) {
    plugins::SetOption(state.options, kOptions[id - PROP_OPTION], value);
  } else {
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

static void framelock_trickle_sink_get_property(GObject* object, guint id, GValue* value,
                                                GParamSpec* spec) {
  State& state = *FRAMELOCK_TRICKLE_SINK(object)->state;
  if (id == PROP_STATS) {
    g_value_take_boxed(value, StatsStructure(state.StatsNow()));
    return;
  }
  const std::lock_guard lock(state.mutex);
  if (id == PROP_LOCATION) {
    g_value_set_string(value, state.location.empty() ? nullptr : state.location.c_str());
  } else if (id == PROP_MIN_SEGMENT_DURATION) {
    g_value_set_uint64(value, static_cast<guint64>(state.min_segment_duration.count()));
  } else if (id >= PROP_OPTION && id < PROP_OPTION + kOptions.size()) {
    plugins::GetOption(state.options, kOptions[id - PROP_OPTION], value);
  } else {
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

static void framelock_trickle_sink_finalize(GObject* object) {
  delete FRAMELOCK_TRICKLE_SINK(object)->state;
  G_OBJECT_CLASS(framelock_trickle_sink_parent_class)->finalize(object);
}

static void framelock_trickle_sink_install_properties(GObjectClass* klass) {
  g_object_class_install_property(
      klass, PROP_LOCATION,
      g_param_spec_string("location", "Location",
                          "Channel to publish: http(s)://HOST:PORT/BASE/CHANNEL, or the same with "
                          "trickle(s)://",
                          nullptr, plugins::kOptionFlags));
  g_object_class_install_property(
      klass, PROP_MIN_SEGMENT_DURATION,
      g_param_spec_uint64("min-segment-duration", "Minimum segment duration",
                          "A keyframe that comes sooner after the last cut does not begin a "
                          "segment; measured in the stream's timestamps (ns)",
                          0, 3600 * GST_SECOND, 0, plugins::kOptionFlags));
  g_object_class_install_property(
      klass, PROP_STATS,
      g_param_spec_boxed(
          "stats", "Statistics",
          "Figures of this run, or of the last one. uint64: bytes, segments (acknowledged), "
          "dropped-segments, reposted-segments, reconnects, connections, segment-seq (being "
          "written), queued-bytes, skipped-packets (before the first keyframe), skipped-bytes (no "
          "transport stream); string: last-error",
          GST_TYPE_STRUCTURE, static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)));
  plugins::InstallOptionProperties<Options>(klass, kOptions, PROP_OPTION);
}

static void framelock_trickle_sink_class_init(FramelockTrickleSinkClass* klass) {
  static GstStaticPadTemplate sink_template =
      GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
  GObjectClass* object = G_OBJECT_CLASS(klass);
  object->set_property = framelock_trickle_sink_set_property;
  object->get_property = framelock_trickle_sink_get_property;
  object->finalize = framelock_trickle_sink_finalize;
  framelock_trickle_sink_install_properties(object);

  GstBaseSinkClass* base = GST_BASE_SINK_CLASS(klass);
  base->start = framelock_trickle_sink_start;
  base->stop = framelock_trickle_sink_stop;
  base->unlock = framelock_trickle_sink_unlock;
  base->unlock_stop = framelock_trickle_sink_unlock_stop;
  base->set_caps = framelock_trickle_sink_set_caps;
  base->render = framelock_trickle_sink_render;
  base->render_list = framelock_trickle_sink_render_list;
  base->event = framelock_trickle_sink_event;

  GstElementClass* element = GST_ELEMENT_CLASS(klass);
  gst_element_class_add_static_pad_template(element, &sink_template);
  gst_element_class_set_static_metadata(element, "Trickle sink", "Sink/Network", kDescription,
                                        "Framelock");
  GST_DEBUG_CATEGORY_INIT(framelock_trickle_sink_debug, "tricklesink", 0, "trickle sink");
}

static void framelock_trickle_sink_init(FramelockTrickleSink* self) {
  self->state = new State;
  gst_base_sink_set_sync(GST_BASE_SINK(self), FALSE);
  gst_base_sink_set_async_enabled(GST_BASE_SINK(self), FALSE);
  gst_base_sink_set_last_sample_enabled(GST_BASE_SINK(self), FALSE);
}

gboolean framelock_trickle_sink_register(GstPlugin* plugin) {
  return gst_element_register(plugin, "tricklesink", GST_RANK_NONE,
                              framelock_trickle_sink_get_type());
}
