// SPDX-License-Identifier: Apache-2.0
#include "plugins/websocket_src.h"

#include <array>
#include <memory>
#include <mutex>
#include <utility>

#include "pipeline/core/clock.h"
#include "pipeline/net/websocket_client.h"
#include "plugins/byte_buffer.h"
#include "plugins/location_uri.h"
#include "plugins/option_property.h"
#include "plugins/resource_error.h"
#include "plugins/ts_timeline.h"

GST_DEBUG_CATEGORY_STATIC(framelock_websocket_src_debug);
#define GST_CAT_DEFAULT framelock_websocket_src_debug

namespace net = framelock::net;
namespace plugins = framelock::plugins;
using framelock::ErrorCode;

namespace {

constexpr const char* kDescription =
    "Connects to a WebSocket peer and makes a buffer of each binary message. Sets DISCONT after a "
    "new connection; a close with code 1000 is the end of the stream. For playback in time set "
    "do-timestamp=true; without it tsdemux keeps the distances of all timestamps exact";
constexpr const char* kDefaultCaps =
    "video/mpegts, systemstream=(boolean)true, packetsize=(int)188";

enum : guint { PROP_0, PROP_LOCATION, PROP_RECONNECT, PROP_CAPS, PROP_STATS, PROP_OPTION };

using Options = net::WebSocketClientOptions;
const std::array<plugins::OptionProperty<Options>, 9> kOptions = {{
    {"queue-bytes", "Queue size",
     "Most bytes read ahead; full: the connection stops reading, so the peer waits",
     &Options::receive_queue_bytes, 4096},
    {"max-message-bytes", "Longest message",
     "A longer message ends the connection (close code 1009)", &Options::max_message_bytes, 1},
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
    {"verify-tls", "Verify TLS", "Check the server's certificate (wss only)", &Options::verify_tls},
}};

struct State {
  std::mutex mutex;
  Options options;
  GstCaps* caps = gst_caps_from_string(kDefaultCaps);
  std::shared_ptr<net::WebSocketClient> client;  // while started
  net::WebSocketClientStats last_stats;          // of the last run
  // Streaming thread only.
  guint64 offset = 0;
  plugins::TsTimeline timeline;

  ~State() { gst_caps_replace(&caps, nullptr); }

  Options OptionsNow() {
    const std::lock_guard lock(mutex);
    return options;
  }
  std::shared_ptr<net::WebSocketClient> Running() {
    const std::lock_guard lock(mutex);
    return client;
  }
  net::WebSocketClientStats Stats() {
    const std::lock_guard lock(mutex);
    return client ? client->stats() : last_stats;
  }
};

GstStructure* StatsStructure(const net::WebSocketClientStats& stats) {
  return gst_structure_new("framelock-websocketsrc-stats", "bytes", G_TYPE_UINT64,
                           stats.bytes_received, "messages", G_TYPE_UINT64, stats.messages_received,
                           "text-messages", G_TYPE_UINT64, stats.text_messages, "connections",
                           G_TYPE_UINT64, stats.connections, "reconnects", G_TYPE_UINT64,
                           stats.reconnects, "queued-bytes", G_TYPE_UINT64,
                           static_cast<guint64>(stats.receive_queued_bytes), "close-code",
                           G_TYPE_UINT, static_cast<guint>(stats.close_code.value_or(0)),
                           "last-error", G_TYPE_STRING, stats.last_error.c_str(), nullptr);
}

}  // namespace

struct _FramelockWebsocketSrc {
  GstPushSrc parent;
  State* state;
};

G_DEFINE_TYPE_WITH_CODE(FramelockWebsocketSrc, framelock_websocket_src, GST_TYPE_PUSH_SRC,
                        plugins::AddWebSocketSourceUri(g_define_type_id))

static gboolean framelock_websocket_src_start(GstBaseSrc* base) {
  State& state = *FRAMELOCK_WEBSOCKET_SRC(base)->state;
  // From bytes tsdemux makes timestamps with exact distances; from buffers with arrival times it
  // makes ones that follow the clock and so drift against each other.
  gst_base_src_set_format(base,
                          gst_base_src_get_do_timestamp(base) ? GST_FORMAT_TIME : GST_FORMAT_BYTES);
  state.offset = 0;
  state.timeline = {};
  auto client = net::WebSocketClient::Open(state.OptionsNow());
  if (!client) {
    plugins::PostReadError(GST_ELEMENT(base), client.error());
    return FALSE;
  }
  const std::lock_guard lock(state.mutex);
  state.client = std::move(*client);
  return TRUE;
}

static gboolean framelock_websocket_src_stop(GstBaseSrc* base) {
  State& state = *FRAMELOCK_WEBSOCKET_SRC(base)->state;
  std::shared_ptr<net::WebSocketClient> ended;  // joins its thread, so not under the lock
  const std::lock_guard lock(state.mutex);
  ended = std::move(state.client);
  if (ended) state.last_stats = ended->stats();
  return TRUE;
}

static gboolean framelock_websocket_src_unlock(GstBaseSrc* base) {
  if (auto client = FRAMELOCK_WEBSOCKET_SRC(base)->state->Running()) client->Interrupt();
  return TRUE;
}

static gboolean framelock_websocket_src_unlock_stop(GstBaseSrc* base) {
  if (auto client = FRAMELOCK_WEBSOCKET_SRC(base)->state->Running()) client->Resume();
  return TRUE;
}

static GstFlowReturn framelock_websocket_src_create(GstPushSrc* base, GstBuffer** buffer) {
  FramelockWebsocketSrc* self = FRAMELOCK_WEBSOCKET_SRC(base);
  State& state = *self->state;
  const auto client = state.Running();
  if (!client) return GST_FLOW_FLUSHING;
  auto message = client->Receive();
  while (!message && message.error().code == ErrorCode::kTimeout) message = client->Receive();
  if (!message) {
    if (message.error().code == ErrorCode::kCancelled) return GST_FLOW_FLUSHING;
    if (message.error().code == ErrorCode::kClosed) return GST_FLOW_EOS;
    plugins::PostReadError(GST_ELEMENT(self), message.error());
    return GST_FLOW_ERROR;
  }
  const framelock::SteadyTime now = framelock::Clock::System().Now();
  bool same_timeline = true;
  if (message->discontinuity) {
    same_timeline = state.timeline.PushAfterHole(message->bytes, now);
    GST_INFO_OBJECT(self, "connected again: messages were missed");
  } else {
    state.timeline.Push(message->bytes, now);
  }
  const gsize size = message->bytes.size();
  *buffer = plugins::WrapBytes(std::move(message->bytes));
  GST_BUFFER_OFFSET(*buffer) = state.offset;
  GST_BUFFER_OFFSET_END(*buffer) = state.offset += size;
  // A new timeline is for tsdemux to find by itself: see TsTimeline.
  if (message->discontinuity && same_timeline) {
    GST_BUFFER_FLAG_SET(*buffer, GST_BUFFER_FLAG_DISCONT);
  }
  return GST_FLOW_OK;
}

static GstCaps* framelock_websocket_src_get_caps(GstBaseSrc* base, GstCaps* filter) {
  State& state = *FRAMELOCK_WEBSOCKET_SRC(base)->state;
  const std::lock_guard lock(state.mutex);
  GstCaps* caps = state.caps == nullptr ? gst_caps_new_any() : gst_caps_ref(state.caps);
  if (filter == nullptr) return caps;
  GstCaps* both = gst_caps_intersect_full(filter, caps, GST_CAPS_INTERSECT_FIRST);
  gst_caps_unref(caps);
  return both;
}

static gboolean framelock_websocket_src_is_seekable(GstBaseSrc* /*base*/) { return FALSE; }

static void framelock_websocket_src_set_property(GObject* object, guint id, const GValue* value,
                                                 GParamSpec* spec) {
  State& state = *FRAMELOCK_WEBSOCKET_SRC(object)->state;
  const std::lock_guard lock(state.mutex);
  if (id == PROP_LOCATION) {
    const gchar* location = g_value_get_string(value);
    state.options.url = location == nullptr ? "" : location;
  } else if (id == PROP_RECONNECT) {
    state.options.reconnect =
        g_value_get_boolean(value) ? net::Reconnect::kAfterLoss : net::Reconnect::kNever;
  } else if (id == PROP_CAPS) {
    gst_caps_replace(&state.caps, const_cast<GstCaps*>(gst_value_get_caps(value)));
  } else if (id >= PROP_OPTION && id < PROP_OPTION + kOptions.size()) {
    plugins::SetOption(state.options, kOptions[id - PROP_OPTION], value);
  } else {
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

static void framelock_websocket_src_get_property(GObject* object, guint id, GValue* value,
                                                 GParamSpec* spec) {
  State& state = *FRAMELOCK_WEBSOCKET_SRC(object)->state;
  if (id == PROP_STATS) {
    g_value_take_boxed(value, StatsStructure(state.Stats()));
    return;
  }
  const std::lock_guard lock(state.mutex);
  if (id == PROP_LOCATION) {
    g_value_set_string(value, state.options.url.empty() ? nullptr : state.options.url.c_str());
  } else if (id == PROP_RECONNECT) {
    g_value_set_boolean(value, state.options.reconnect == net::Reconnect::kAfterLoss);
  } else if (id == PROP_CAPS) {
    gst_value_set_caps(value, state.caps);
  } else if (id >= PROP_OPTION && id < PROP_OPTION + kOptions.size()) {
    plugins::GetOption(state.options, kOptions[id - PROP_OPTION], value);
  } else {
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

static void framelock_websocket_src_finalize(GObject* object) {
  delete FRAMELOCK_WEBSOCKET_SRC(object)->state;
  G_OBJECT_CLASS(framelock_websocket_src_parent_class)->finalize(object);
}

static void framelock_websocket_src_install_properties(GObjectClass* klass) {
  g_object_class_install_property(
      klass, PROP_LOCATION,
      g_param_spec_string("location", "Location",
                          "Peer to read from: ws://HOST:PORT/PATH or wss://HOST:PORT/PATH", nullptr,
                          plugins::kOptionFlags));
  g_object_class_install_property(
      klass, PROP_RECONNECT,
      g_param_spec_boolean("reconnect", "Reconnect",
                           "Connect again after a loss or a close with another code than 1000; "
                           "else either is an error",
                           TRUE, plugins::kOptionFlags));
  g_object_class_install_property(
      klass, PROP_CAPS,
      g_param_spec_boxed("caps", "Caps", "What the peer sends; NULL: let downstream find out",
                         GST_TYPE_CAPS, plugins::kOptionFlags));
  g_object_class_install_property(
      klass, PROP_STATS,
      g_param_spec_boxed(
          "stats", "Statistics",
          "Figures of this run, or of the last one. uint64: bytes, messages, text-messages "
          "(ignored), connections, reconnects, queued-bytes; uint: close-code (0: "
          "none yet); string: last-error",
          GST_TYPE_STRUCTURE, static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)));
  plugins::InstallOptionProperties<Options>(klass, kOptions, PROP_OPTION);
}

static void framelock_websocket_src_class_init(FramelockWebsocketSrcClass* klass) {
  static GstStaticPadTemplate src_template =
      GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
  GObjectClass* object = G_OBJECT_CLASS(klass);
  object->set_property = framelock_websocket_src_set_property;
  object->get_property = framelock_websocket_src_get_property;
  object->finalize = framelock_websocket_src_finalize;
  framelock_websocket_src_install_properties(object);

  GstBaseSrcClass* base = GST_BASE_SRC_CLASS(klass);
  base->start = framelock_websocket_src_start;
  base->stop = framelock_websocket_src_stop;
  base->unlock = framelock_websocket_src_unlock;
  base->unlock_stop = framelock_websocket_src_unlock_stop;
  base->get_caps = framelock_websocket_src_get_caps;
  base->is_seekable = framelock_websocket_src_is_seekable;
  GST_PUSH_SRC_CLASS(klass)->create = framelock_websocket_src_create;

  GstElementClass* element = GST_ELEMENT_CLASS(klass);
  gst_element_class_add_static_pad_template(element, &src_template);
  gst_element_class_set_static_metadata(element, "WebSocket source", "Source/Network", kDescription,
                                        "Framelock");
  GST_DEBUG_CATEGORY_INIT(framelock_websocket_src_debug, "websocketsrc", 0, "WebSocket source");
}

static void framelock_websocket_src_init(FramelockWebsocketSrc* self) {
  self->state = new State;
  gst_base_src_set_live(GST_BASE_SRC(self), TRUE);
}

gboolean framelock_websocket_src_register(GstPlugin* plugin) {
  return gst_element_register(plugin, "websocketsrc", GST_RANK_PRIMARY,
                              framelock_websocket_src_get_type());
}
