// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <memory>
#include <utility>

#include "pipeline/core/clock.h"
#include "pipeline/core/drop_counter.h"
#include "plugins/location_uri.h"
#include "plugins/option_property.h"
#include "plugins/reconnect_property.h"
#include "plugins/stream_elements.h"
#include "plugins/stream_sink.h"

GST_DEBUG_CATEGORY_STATIC(framelock_websocket_sink_debug);
#define GST_CAT_DEFAULT framelock_websocket_sink_debug

namespace net = framelock::net;
namespace plugins = framelock::plugins;
using framelock::ErrorCode;
using framelock::Result;
using framelock::Status;
using plugins::SegmentCutter;

namespace {

constexpr const char* kDescription =
    "Connects to a WebSocket peer and sends a binary message for each buffer or buffer list. A "
    "message never crosses a keyframe: in MPEG-TS each group begins with PAT, PMT and keyframe, in "
    "other media with a buffer that is not a delta unit. Never waits for the peer: a slow one "
    "loses whole groups, counted. At EOS it closes with code 1000";

using Options = net::WebSocketClientOptions;
const std::array<plugins::OptionProperty<Options>, 11> kOptions = {{
    plugins::kReconnectProperty,
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
    {"settled-after", "Settled after",
     "After a connection that lasted so long the wait begins at \"retry-initial\" again (ms)",
     &Options::settled_after, 1},
    {"give-up-after", "Give up after",
     "Post an error after this long without a connection; 0: never (ms)", &Options::give_up_after},
    {"close-timeout", "Close timeout",
     "Longest wait at EOS for the last bytes and the peer's close (ms)", &Options::close_timeout},
    {"verify-tls", "Verify TLS", "Check the server's certificate (wss only)", &Options::verify_tls},
}};

GstStructure* StatsStructure(const net::WebSocketClientStats& stats) {
  return gst_structure_new(
      "framelock-websocketsink-stats", "bytes", G_TYPE_UINT64, stats.bytes_sent, "messages",
      G_TYPE_UINT64, stats.messages_sent, "dropped-messages", G_TYPE_UINT64, stats.dropped_messages,
      "dropped-groups", G_TYPE_UINT64, stats.dropped_groups, "connections", G_TYPE_UINT64,
      stats.connections, "reconnects", G_TYPE_UINT64, stats.reconnects, "queued-bytes",
      G_TYPE_UINT64, static_cast<guint64>(stats.send_queued_bytes), "close-code", G_TYPE_UINT,
      static_cast<guint>(stats.close_code.value_or(0)), "last-error", G_TYPE_STRING,
      stats.last_error.c_str(), nullptr);
}

class Client final
    : public plugins::NetClient<plugins::SinkClient, net::WebSocketClient, StatsStructure> {
 public:
  using NetClient::NetClient;
  Status Send(GstElement* element, const SegmentCutter::Chunk& chunk) override {
    using Position = net::GroupQueue::Position;
    Status sent = net_->Send(
        chunk.bytes, chunk.starts_segment ? Position::kStartsGroup : Position::kContinuesGroup);
    if (sent || sent.error().code != ErrorCode::kResourceLimit) return sent;
    const auto dropped = drops_.Add(framelock::Clock::System().Now());
    if (dropped) {
      GST_WARNING_OBJECT(element, "%" G_GUINT64_FORMAT " messages refused: the peer is slow",
                         static_cast<guint64>(*dropped));
    }
    return {};
  }
  Status Close() override { return net_->Close(); }
  std::size_t queued_bytes() const override { return net_->stats().send_queued_bytes; }

 private:
  framelock::DropCounter drops_;  // streaming thread only
};

class Model final : public plugins::OptionsModel<plugins::SinkModel, Client, Options> {
 public:
  Model() : OptionsModel(kOptions) {}
  Result<SegmentCutter::Payload> PayloadOf(const GstStructure* caps) const override {
    return caps != nullptr && plugins::IsTransportStream(gst_structure_get_name(caps))
               ? SegmentCutter::Payload::kTransportStream
               : SegmentCutter::Payload::kOther;
  }
};

}  // namespace

G_DECLARE_FINAL_TYPE(FramelockWebsocketSink, framelock_websocket_sink, FRAMELOCK, WEBSOCKET_SINK,
                     FramelockStreamSink)

struct _FramelockWebsocketSink {
  FramelockStreamSink parent;
};

G_DEFINE_TYPE_WITH_CODE(FramelockWebsocketSink, framelock_websocket_sink,
                        framelock_stream_sink_get_type(),
                        plugins::AddWebSocketSinkUri(g_define_type_id))

static void framelock_websocket_sink_class_init(FramelockWebsocketSinkClass* klass) {
  plugins::DescribeSink(
      FRAMELOCK_STREAM_SINK_CLASS(klass),
      {.name = "WebSocket sink",
       .description = kDescription,
       .location = "Peer to send to: ws://HOST:PORT/PATH or wss://HOST:PORT/PATH",
       .stats =
           "Figures of this run, or of the last one. uint64: bytes, messages, dropped-messages, "
           "dropped-groups (that lost at least their end), connections, reconnects, queued-bytes, "
           "skipped-packets (before the first keyframe), skipped-bytes (no transport stream); "
           "uint: "
           "close-code (0: none yet); string: last-error"});
  plugins::InstallOptionProperties<Options>(G_OBJECT_CLASS(klass), kOptions,
                                            plugins::kFirstSinkOption);
  GST_DEBUG_CATEGORY_INIT(framelock_websocket_sink_debug, "websocketsink", 0, "WebSocket sink");
  FRAMELOCK_STREAM_SINK_CLASS(klass)->category = framelock_websocket_sink_debug;
}

static void framelock_websocket_sink_init(FramelockWebsocketSink* self) {
  plugins::SetUpSink(FRAMELOCK_STREAM_SINK(self), std::make_unique<Model>());
}

gboolean framelock_websocket_sink_register(GstPlugin* plugin) {
  return gst_element_register(plugin, "websocketsink", GST_RANK_NONE,
                              framelock_websocket_sink_get_type());
}
