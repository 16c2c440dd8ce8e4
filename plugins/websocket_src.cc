// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <memory>
#include <utility>

#include "plugins/location_uri.h"
#include "plugins/option_property.h"
#include "plugins/reconnect_property.h"
#include "plugins/stream_elements.h"
#include "plugins/stream_source.h"

GST_DEBUG_CATEGORY_STATIC(framelock_websocket_src_debug);
#define GST_CAT_DEFAULT framelock_websocket_src_debug

namespace net = framelock::net;
namespace plugins = framelock::plugins;
using framelock::Result;

namespace {

constexpr const char* kDescription =
    "Connects to a WebSocket peer and makes a buffer of each binary message. Sets DISCONT after a "
    "new connection; a close with code 1000 is the end of the stream. For playback in time set "
    "do-timestamp=true; without it tsdemux keeps the distances of all timestamps exact";

using Options = net::WebSocketClientOptions;
const std::array<plugins::OptionProperty<Options>, 11> kOptions = {{
    plugins::kReconnectProperty,
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
    {"settled-after", "Settled after",
     "After a connection that lasted so long the wait begins at \"retry-initial\" again (ms)",
     &Options::settled_after, 1},
    {"give-up-after", "Give up after",
     "Post an error after this long without a connection; 0: never (ms)", &Options::give_up_after},
    {"verify-tls", "Verify TLS", "Check the server's certificate (wss only)", &Options::verify_tls},
}};

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

class Client final
    : public plugins::NetClient<plugins::SourceClient, net::WebSocketClient, StatsStructure> {
 public:
  using NetClient::NetClient;
  Result<Piece> Read() override {
    auto message = net_->Receive();
    if (!message) return message.error();
    return Piece{.bytes = std::move(message->bytes), .discontinuity = message->discontinuity};
  }
  void ReportGap(GstElement* element, gboolean /*new_timeline*/) override {
    GST_INFO_OBJECT(element, "connected again: messages were missed");
  }
};

class Model final : public plugins::OptionsModel<plugins::SourceModel, Client, Options> {
 public:
  Model() : OptionsModel(kOptions) {}
};

}  // namespace

G_DECLARE_FINAL_TYPE(FramelockWebsocketSrc, framelock_websocket_src, FRAMELOCK, WEBSOCKET_SRC,
                     FramelockStreamSource)

struct _FramelockWebsocketSrc {
  FramelockStreamSource parent;
};

G_DEFINE_TYPE_WITH_CODE(FramelockWebsocketSrc, framelock_websocket_src,
                        framelock_stream_source_get_type(),
                        plugins::AddWebSocketSourceUri(g_define_type_id))

static void framelock_websocket_src_class_init(FramelockWebsocketSrcClass* klass) {
  plugins::DescribeSource(
      FRAMELOCK_STREAM_SOURCE_CLASS(klass),
      {.name = "WebSocket source",
       .description = kDescription,
       .location = "Peer to read from: ws://HOST:PORT/PATH or wss://HOST:PORT/PATH",
       .stats = "Figures of this run, or of the last one. uint64: bytes, messages, text-messages "
                "(ignored), connections, reconnects, queued-bytes; uint: close-code (0: none yet); "
                "string: last-error"},
      "What the peer sends; NULL: let downstream find out");
  plugins::InstallOptionProperties<Options>(G_OBJECT_CLASS(klass), kOptions,
                                            plugins::kFirstSourceOption);
  GST_DEBUG_CATEGORY_INIT(framelock_websocket_src_debug, "websocketsrc", 0, "WebSocket source");
}

static void framelock_websocket_src_init(FramelockWebsocketSrc* self) {
  plugins::SetUpSource(FRAMELOCK_STREAM_SOURCE(self), std::make_unique<Model>());
}

gboolean framelock_websocket_src_register(GstPlugin* plugin) {
  return gst_element_register(plugin, "websocketsrc", GST_RANK_PRIMARY,
                              framelock_websocket_src_get_type());
}
