// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <memory>
#include <utility>

#include "plugins/location_uri.h"
#include "plugins/option_property.h"
#include "plugins/stream_elements.h"
#include "plugins/stream_sink.h"
#include "trickle/publisher.h"

GST_DEBUG_CATEGORY_STATIC(framelock_trickle_sink_debug);
#define GST_CAT_DEFAULT framelock_trickle_sink_debug

namespace plugins = framelock::plugins;
namespace trickle = framelock::trickle;
using framelock::ErrorCode;
using framelock::Result;
using framelock::Status;
using plugins::SegmentCutter;

namespace {

constexpr const char* kDescription =
    "Publishes a live trickle channel (HTTP, segment by segment, each while it is made). Never "
    "waits for the network: what its queue cannot hold is dropped as whole segments, counted. At "
    "EOS it ends the channel";

struct Options : trickle::PublisherOptions {
  std::chrono::nanoseconds min_segment_duration{0};
};
const std::array<plugins::OptionProperty<Options>, 14> kOptions = {{
    {"min-segment-duration", "Minimum segment duration",
     "A keyframe that comes sooner after the last cut does not begin a segment; measured in the "
     "stream's timestamps (ns)",
     &Options::min_segment_duration},
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
    {"whole-segments", "Whole segments",
     "Each buffer that begins a segment is all of it and ends it at once; otherwise it ends where "
     "the next one begins",
     &Options::whole_segments},
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

GstStructure* StatsStructure(const trickle::PublisherStats& stats) {
  return gst_structure_new("framelock-tricklesink-stats", "bytes", G_TYPE_UINT64, stats.bytes,
                           "segments", G_TYPE_UINT64, stats.segments, "dropped-segments",
                           G_TYPE_UINT64, stats.dropped_segments, "reposted-segments",
                           G_TYPE_UINT64, stats.reposted_segments, "reconnects", G_TYPE_UINT64,
                           stats.reconnects, "connections", G_TYPE_UINT64, stats.connections,
                           "segment-seq", G_TYPE_UINT64, stats.segment_seq, "queued-bytes",
                           G_TYPE_UINT64, static_cast<guint64>(stats.queued_bytes), "last-error",
                           G_TYPE_STRING, stats.last_error.c_str(), nullptr);
}

class Client final
    : public plugins::NetClient<plugins::SinkClient, trickle::Publisher, StatsStructure> {
 public:
  using NetClient::NetClient;
  Status Send(GstElement* /*element*/, const SegmentCutter::Chunk& chunk) override {
    if (chunk.starts_segment) {
      if (Status begun = net_->BeginSegment(); !begun) return begun;
    }
    return net_->Write(chunk.bytes);
  }
  Status Close() override { return net_->Close(); }
  std::size_t queued_bytes() const override { return net_->stats().queued_bytes; }
};

class Model final : public plugins::OptionsModel<plugins::SinkModel, Client, Options> {
 public:
  Model() : OptionsModel(kOptions) {}
  Result<SegmentCutter::Payload> PayloadOf(const GstStructure* caps) const override {
    const std::string& content_type = options().content_type;
    if (!plugins::IsTransportStream(content_type)) return SegmentCutter::Payload::kOther;
    if (caps != nullptr && !gst_structure_has_name(caps, "video/mpegts")) {
      return framelock::Error{ErrorCode::kInvalidArgument, "content-type is " + content_type +
                                                               ", but upstream sends " +
                                                               gst_structure_get_name(caps)};
    }
    return SegmentCutter::Payload::kTransportStream;
  }
  std::chrono::nanoseconds min_segment_duration() const override {
    return options().min_segment_duration;
  }
};

}  // namespace

G_DECLARE_FINAL_TYPE(FramelockTrickleSink, framelock_trickle_sink, FRAMELOCK, TRICKLE_SINK,
                     FramelockStreamSink)

struct _FramelockTrickleSink {
  FramelockStreamSink parent;
};

G_DEFINE_TYPE_WITH_CODE(FramelockTrickleSink, framelock_trickle_sink,
                        framelock_stream_sink_get_type(),
                        plugins::AddTrickleSinkUri(g_define_type_id))

static void framelock_trickle_sink_class_init(FramelockTrickleSinkClass* klass) {
  plugins::DescribeSink(
      FRAMELOCK_STREAM_SINK_CLASS(klass),
      {.name = "Trickle sink",
       .description = kDescription,
       .location =
           "Channel to publish: http(s)://HOST:PORT/BASE/CHANNEL, or the same with trickle(s)://",
       .stats =
           "Figures of this run, or of the last one. uint64: bytes, segments (acknowledged), "
           "dropped-segments, reposted-segments, reconnects, connections, segment-seq (being "
           "written), queued-bytes, skipped-packets (before the first keyframe), skipped-bytes (no "
           "transport stream); string: last-error"});
  plugins::InstallOptionProperties<Options>(G_OBJECT_CLASS(klass), kOptions,
                                            plugins::kFirstSinkOption);
  GST_DEBUG_CATEGORY_INIT(framelock_trickle_sink_debug, "tricklesink", 0, "trickle sink");
  FRAMELOCK_STREAM_SINK_CLASS(klass)->category = framelock_trickle_sink_debug;
}

static void framelock_trickle_sink_init(FramelockTrickleSink* self) {
  plugins::SetUpSink(FRAMELOCK_STREAM_SINK(self), std::make_unique<Model>());
}

gboolean framelock_trickle_sink_register(GstPlugin* plugin) {
  return gst_element_register(plugin, "tricklesink", GST_RANK_NONE,
                              framelock_trickle_sink_get_type());
}
