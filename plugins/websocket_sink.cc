// SPDX-License-Identifier: Apache-2.0
#include "plugins/websocket_sink.h"

#include <array>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "pipeline/core/clock.h"
#include "pipeline/core/drop_counter.h"
#include "pipeline/net/websocket_client.h"
#include "plugins/location_uri.h"
#include "plugins/option_property.h"
#include "plugins/resource_error.h"
#include "plugins/segment_cutter.h"

GST_DEBUG_CATEGORY_STATIC(framelock_websocket_sink_debug);
#define GST_CAT_DEFAULT framelock_websocket_sink_debug

namespace net = framelock::net;
namespace plugins = framelock::plugins;
using framelock::ErrorCode;
using framelock::Status;
using plugins::SegmentCutter;

namespace {

constexpr const char* kDescription =
    "Connects to a WebSocket peer and sends a binary message for each buffer or buffer list. A "
    "message never crosses a keyframe: in MPEG-TS each group begins with PAT, PMT and keyframe, in "
    "other media with a buffer that is not a delta unit. Never waits for the peer: a slow one "
    "loses whole groups, counted. At EOS it closes with code 1000";
enum : guint { PROP_0, PROP_LOCATION, PROP_RECONNECT, PROP_STATS, PROP_OPTION };

using Options = net::WebSocketClientOptions;
const std::array<plugins::OptionProperty<Options>, 9> kOptions = {{
    {"queue-bytes", "Queue size",
     "Most bytes waiting for the network; full: whole groups (from one keyframe to the next) that "
     "were not begun are dropped, oldest first",
     &Options::send_queue_bytes, 4096},
    {"connect-timeout", "Connect timeout", "Longest wait for a connection (ms)",
     &Options::connect_timeout, 1},
    {"ping-interval", "Ping interval", "Time between pings; 0: none (ms)", &Options::ping_interval},
    {"ping-timeout", "Ping timeout", "A peer that gives no sign of life for so long is lost (ms)",
     &Options::ping_timeout, 1},
    {"retry-initial", "First retry", "Wait before the first retry; doubles each time (ms)",
     &Options::retry_initial, 1},
    {"retry-max", "Longest retry wait", "Longest wait between two retries (ms)",
     &Options::retry_max, 1},
    {"give-up-after", "Give up after",
     "Post an error after this long without a connection; 0: never (ms)", &Options::give_up_after},
    {"close-timeout", "Close timeout",
     "Longest wait at EOS for the last bytes and the peer's close (ms)", &Options::close_timeout},
    {"verify-tls", "Verify TLS", "Check the server's certificate (wss only)", &Options::verify_tls},
}};

struct Stats {
  net::WebSocketClientStats client;
  guint64 skipped_packets = 0;
  guint64 skipped_bytes = 0;
};

struct State {
  std::mutex mutex;
  Options options;
  std::shared_ptr<net::WebSocketClient> client;  // while started
  Stats stats;                                   // of the last run; the skipped ones are live
  // Streaming thread only.
  std::unique_ptr<SegmentCutter> cutter;
  framelock::DropCounter drops;

  std::shared_ptr<net::WebSocketClient> Running() {
    const std::lock_guard lock(mutex);
    return client;
  }
  Stats StatsNow() {
    const std::lock_guard lock(mutex);
    Stats now = stats;
    if (client) now.client = client->stats();
    return now;
  }
};

GstStructure* StatsStructure(const Stats& stats) {
  const net::WebSocketClientStats& c = stats.client;
  return gst_structure_new(
      "framelock-websocketsink-stats", "bytes", G_TYPE_UINT64, c.bytes_sent, "messages",
      G_TYPE_UINT64, c.messages_sent, "dropped-messages", G_TYPE_UINT64, c.dropped_messages,
      "dropped-groups", G_TYPE_UINT64, c.dropped_groups, "connections", G_TYPE_UINT64,
      c.connections, "reconnects", G_TYPE_UINT64, c.reconnects, "queued-bytes", G_TYPE_UINT64,
      static_cast<guint64>(c.send_queued_bytes), "skipped-packets", G_TYPE_UINT64,
      stats.skipped_packets, "skipped-bytes", G_TYPE_UINT64, stats.skipped_bytes, "close-code",
      G_TYPE_UINT, static_cast<guint>(c.close_code.value_or(0)), "last-error", G_TYPE_STRING,
      c.last_error.c_str(), nullptr);
}

}  // namespace

struct _FramelockWebsocketSink {
  GstBaseSink parent;
  State* state;
};

G_DEFINE_TYPE_WITH_CODE(FramelockWebsocketSink, framelock_websocket_sink, GST_TYPE_BASE_SINK,
                        plugins::AddWebSocketSinkUri(g_define_type_id))

static gboolean framelock_websocket_sink_start(GstBaseSink* base) {
  State& state = *FRAMELOCK_WEBSOCKET_SINK(base)->state;
  Options options;
  {
    const std::lock_guard lock(state.mutex);
    options = state.options;
    state.stats = {};
  }
  state.cutter =
      std::make_unique<SegmentCutter>(SegmentCutter::Payload::kOther, std::chrono::nanoseconds(0));
  auto client = net::WebSocketClient::Open(std::move(options));
  if (!client) {
    plugins::PostWriteError(GST_ELEMENT(base), client.error());
    return FALSE;
  }
  const std::lock_guard lock(state.mutex);
  state.client = std::move(*client);
  return TRUE;
}

static gboolean framelock_websocket_sink_stop(GstBaseSink* base) {
  State& state = *FRAMELOCK_WEBSOCKET_SINK(base)->state;
  std::shared_ptr<net::WebSocketClient> ended;  // joins its thread, so not under the lock
  const std::lock_guard lock(state.mutex);
  ended = std::move(state.client);
  if (ended) state.stats.client = ended->stats();
  return TRUE;
}

static gboolean framelock_websocket_sink_set_caps(GstBaseSink* base, GstCaps* caps) {
  State& state = *FRAMELOCK_WEBSOCKET_SINK(base)->state;
  const gchar* name = gst_structure_get_name(gst_caps_get_structure(caps, 0));
  const auto payload = plugins::IsTransportStream(name) ? SegmentCutter::Payload::kTransportStream
                                                        : SegmentCutter::Payload::kOther;
  if (state.cutter && state.cutter->payload() == payload) return TRUE;
  state.cutter = std::make_unique<SegmentCutter>(payload, std::chrono::nanoseconds(0));
  return TRUE;
}

static gboolean framelock_websocket_sink_unlock(GstBaseSink* base) {
  if (auto client = FRAMELOCK_WEBSOCKET_SINK(base)->state->Running()) client->Interrupt();
  return TRUE;
}

static gboolean framelock_websocket_sink_unlock_stop(GstBaseSink* base) {
  if (auto client = FRAMELOCK_WEBSOCKET_SINK(base)->state->Running()) client->Resume();
  return TRUE;
}

static GstFlowReturn framelock_websocket_sink_send(
    FramelockWebsocketSink* self, const std::vector<SegmentCutter::Chunk>& chunks) {
  State& state = *self->state;
  const auto client = state.Running();
  if (!client) return GST_FLOW_FLUSHING;
  {
    const std::lock_guard lock(state.mutex);
    state.stats.skipped_packets = state.cutter->skipped_packets();
    state.stats.skipped_bytes = state.cutter->skipped_bytes();
  }
  for (const SegmentCutter::Chunk& chunk : chunks) {
    const Status sent = client->Send(chunk.bytes, chunk.starts_segment
                                                      ? net::GroupQueue::Position::kStartsGroup
                                                      : net::GroupQueue::Position::kContinuesGroup);
    if (sent) continue;
    if (sent.error().code == ErrorCode::kResourceLimit) {
      const auto dropped = state.drops.Add(framelock::Clock::System().Now());
      if (dropped) {
        GST_WARNING_OBJECT(self, "%" G_GUINT64_FORMAT " messages refused: the peer is slow",
                           static_cast<guint64>(*dropped));
      }
      continue;
    }
    plugins::PostWriteError(GST_ELEMENT(self), sent.error());
    return GST_FLOW_ERROR;
  }
  return GST_FLOW_OK;
}

static GstFlowReturn framelock_websocket_sink_unreadable(FramelockWebsocketSink* self) {
  plugins::PostWriteError(GST_ELEMENT(self),
                          {ErrorCode::kInternal, "a buffer's memory cannot be read"});
  return GST_FLOW_ERROR;
}

static GstFlowReturn framelock_websocket_sink_render(GstBaseSink* base, GstBuffer* buffer) {
  FramelockWebsocketSink* self = FRAMELOCK_WEBSOCKET_SINK(base);
  std::vector<SegmentCutter::Chunk> chunks;
  if (!self->state->cutter->Push(buffer, chunks)) return framelock_websocket_sink_unreadable(self);
  return framelock_websocket_sink_send(self, chunks);
}

static GstFlowReturn framelock_websocket_sink_render_list(GstBaseSink* base, GstBufferList* list) {
  FramelockWebsocketSink* self = FRAMELOCK_WEBSOCKET_SINK(base);
  std::vector<SegmentCutter::Chunk> chunks;
  for (guint i = 0; i < gst_buffer_list_length(list); ++i) {
    if (!self->state->cutter->Push(gst_buffer_list_get(list, i), chunks)) {
      return framelock_websocket_sink_unreadable(self);
    }
  }
  return framelock_websocket_sink_send(self, chunks);
}

static gboolean framelock_websocket_sink_event(GstBaseSink* base, GstEvent* event) {
  State& state = *FRAMELOCK_WEBSOCKET_SINK(base)->state;
  const auto client = state.Running();
  if (GST_EVENT_TYPE(event) == GST_EVENT_EOS && client) {
    const Status closed = client->Close();
    if (state.cutter->found_nothing()) {
      plugins::PostWriteError(
          GST_ELEMENT(base), {ErrorCode::kInvalidArgument,
                              "nothing was sent: upstream made no MPEG-TS keyframe to begin with"});
    }
    const bool lost = !closed && closed.error().code != ErrorCode::kCancelled &&
                      closed.error().code != ErrorCode::kClosed;
    // A close that was not answered is the peer's business, bytes that were not sent are ours.
    if (lost && client->stats().send_queued_bytes > 0) {
      plugins::PostWriteError(GST_ELEMENT(base), closed.error());
    } else if (lost) {
      GST_INFO_OBJECT(base, "close: %s", closed.error().message.c_str());
    }
  }
  return GST_BASE_SINK_CLASS(framelock_websocket_sink_parent_class)->event(base, event);
}

static void framelock_websocket_sink_set_property(GObject* object, guint id, const GValue* value,
                                                  GParamSpec* spec) {
  State& state = *FRAMELOCK_WEBSOCKET_SINK(object)->state;
  const std::lock_guard lock(state.mutex);
  if (id == PROP_LOCATION) {
    const gchar* location = g_value_get_string(value);
    state.options.url = location == nullptr ? "" : location;
  } else if (id == PROP_RECONNECT) {
    state.options.reconnect =
        g_value_get_boolean(value) ? net::Reconnect::kAfterLoss : net::Reconnect::kNever;
  } else if (id >= PROP_OPTION && id < PROP_OPTION + kOptions.size()) {
    plugins::SetOption(state.options, kOptions[id - PROP_OPTION], value);
  } else {
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

static void framelock_websocket_sink_get_property(GObject* object, guint id, GValue* value,
                                                  GParamSpec* spec) {
  State& state = *FRAMELOCK_WEBSOCKET_SINK(object)->state;
  if (id == PROP_STATS) {
    g_value_take_boxed(value, StatsStructure(state.StatsNow()));
    return;
  }
  const std::lock_guard lock(state.mutex);
  if (id == PROP_LOCATION) {
    g_value_set_string(value, state.options.url.empty() ? nullptr : state.options.url.c_str());
  } else if (id == PROP_RECONNECT) {
    g_value_set_boolean(value, state.options.reconnect == net::Reconnect::kAfterLoss);
  } else if (id >= PROP_OPTION && id < PROP_OPTION + kOptions.size()) {
    plugins::GetOption(state.options, kOptions[id - PROP_OPTION], value);
  } else {
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

static void framelock_websocket_sink_finalize(GObject* object) {
  delete FRAMELOCK_WEBSOCKET_SINK(object)->state;
  G_OBJECT_CLASS(framelock_websocket_sink_parent_class)->finalize(object);
}

static void framelock_websocket_sink_install_properties(GObjectClass* klass) {
  g_object_class_install_property(
      klass, PROP_LOCATION,
      g_param_spec_string("location", "Location",
                          "Peer to send to: ws://HOST:PORT/PATH or wss://HOST:PORT/PATH", nullptr,
                          plugins::kOptionFlags));
  g_object_class_install_property(
      klass, PROP_RECONNECT,
      g_param_spec_boolean("reconnect", "Reconnect",
                           "Connect again after a loss or a close with another code than 1000; "
                           "else either is an error",
                           TRUE, plugins::kOptionFlags));
  g_object_class_install_property(
      klass, PROP_STATS,
      g_param_spec_boxed(
          "stats", "Statistics",
          "Figures of this run, or of the last one. uint64: bytes, messages, dropped-messages, "
          "dropped-groups (that lost at least their end), connections, reconnects, queued-bytes, "
          "skipped-packets (before the first keyframe), skipped-bytes (no transport stream); uint: "
          "close-code (0: none yet); string: last-error",
          GST_TYPE_STRUCTURE, static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)));
  plugins::InstallOptionProperties<Options>(klass, kOptions, PROP_OPTION);
}

static void framelock_websocket_sink_class_init(FramelockWebsocketSinkClass* klass) {
  static GstStaticPadTemplate sink_template =
      GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
  GObjectClass* object = G_OBJECT_CLASS(klass);
  object->set_property = framelock_websocket_sink_set_property;
  object->get_property = framelock_websocket_sink_get_property;
  object->finalize = framelock_websocket_sink_finalize;
  framelock_websocket_sink_install_properties(object);

  GstBaseSinkClass* base = GST_BASE_SINK_CLASS(klass);
  base->start = framelock_websocket_sink_start;
  base->stop = framelock_websocket_sink_stop;
  base->set_caps = framelock_websocket_sink_set_caps;
  base->unlock = framelock_websocket_sink_unlock;
  base->unlock_stop = framelock_websocket_sink_unlock_stop;
  base->render = framelock_websocket_sink_render;
  base->render_list = framelock_websocket_sink_render_list;
  base->event = framelock_websocket_sink_event;

  GstElementClass* element = GST_ELEMENT_CLASS(klass);
  gst_element_class_add_static_pad_template(element, &sink_template);
  gst_element_class_set_static_metadata(element, "WebSocket sink", "Sink/Network", kDescription,
                                        "Framelock");
  GST_DEBUG_CATEGORY_INIT(framelock_websocket_sink_debug, "websocketsink", 0, "WebSocket sink");
}

static void framelock_websocket_sink_init(FramelockWebsocketSink* self) {
  self->state = new State;
  gst_base_sink_set_sync(GST_BASE_SINK(self), FALSE);
  gst_base_sink_set_async_enabled(GST_BASE_SINK(self), FALSE);
  gst_base_sink_set_last_sample_enabled(GST_BASE_SINK(self), FALSE);
}

gboolean framelock_websocket_sink_register(GstPlugin* plugin) {
  return gst_element_register(plugin, "websocketsink", GST_RANK_NONE,
                              framelock_websocket_sink_get_type());
}
