// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <memory>
#include <utility>

#include "plugins/location_uri.h"
#include "plugins/option_property.h"
#include "plugins/stream_elements.h"
#include "plugins/stream_source.h"
#include "trickle/subscriber.h"

GST_DEBUG_CATEGORY_STATIC(framelock_trickle_src_debug);
#define GST_CAT_DEFAULT framelock_trickle_src_debug

namespace plugins = framelock::plugins;
namespace trickle = framelock::trickle;
using framelock::Result;

namespace {

constexpr const char* kDescription =
    "Reads a live trickle channel (HTTP, segment by segment, each while it is written). After "
    "missed segments it sets DISCONT and posts the element message \"trickle-gap\" (uint64: "
    "missed-segments, segment-seq; boolean: new-timeline); it ends with the channel. For playback "
    "in time set do-timestamp=true; without it tsdemux keeps the distances of all timestamps exact";

using Options = trickle::SubscriberOptions;

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

const std::array<plugins::OptionProperty<Options>, 11> kOptions = {{
    {"start", "Start", "Where to join the channel",
     plugins::OwnProperty<Options>{
         .spec =
             [](const char* name, const char* nick, const char* blurb) {
               return g_param_spec_enum(name, nick, blurb, StartType(),
                                        static_cast<gint>(trickle::StartAt::kCurrent),
                                        plugins::kOptionFlags);
             },
         .set =
             [](Options& options, const GValue* value) {
               options.start = static_cast<trickle::StartAt>(g_value_get_enum(value));
             },
         .get = [](const Options& options,
                   GValue* value) { g_value_set_enum(value, static_cast<gint>(options.start)); }}},
    {"start-seq", "Start sequence", "Join at the segment of this number; -1: as \"start\" says",
     &Options::start_seq},
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
    {"leave-silent-after", "Leave silent segment after",
     "A segment that brought nothing for so long although the next one has begun is left, which is "
     "a gap; 0: never (ms)",
     &Options::leave_silent_after},
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

class Client final
    : public plugins::NetClient<plugins::SourceClient, trickle::Subscriber, StatsStructure> {
 public:
  using NetClient::NetClient;
  Result<Piece> Read() override {
    auto piece = net_->Read();
    if (!piece) return piece.error();
    segment_seq_ = piece->segment_seq;
    return Piece{.bytes = std::move(piece->bytes), .discontinuity = piece->discontinuity};
  }
  void ReportGap(GstElement* element, gboolean new_timeline) override {
    const guint64 in_all = net_->stats().missed_segments;
    const guint64 missed = in_all - std::exchange(missed_segments_, in_all);
    GST_INFO_OBJECT(element,
                    "%" G_GUINT64_FORMAT " segments missed before segment %" G_GUINT64_FORMAT,
                    missed, segment_seq_);
    GstStructure* gap = gst_structure_new("trickle-gap", "missed-segments", G_TYPE_UINT64, missed,
                                          "segment-seq", G_TYPE_UINT64, segment_seq_,
                                          "new-timeline", G_TYPE_BOOLEAN, new_timeline, nullptr);
    gst_element_post_message(element, gst_message_new_element(GST_OBJECT(element), gap));
  }

 private:
  // Streaming thread only.
  guint64 segment_seq_ = 0;      // of the last piece
  guint64 missed_segments_ = 0;  // reported so far
};

class Model final : public plugins::OptionsModel<plugins::SourceModel, Client, Options> {
 public:
  Model() : OptionsModel(kOptions) {}
};

}  // namespace

G_DECLARE_FINAL_TYPE(FramelockTrickleSrc, framelock_trickle_src, FRAMELOCK, TRICKLE_SRC,
                     FramelockStreamSource)

struct _FramelockTrickleSrc {
  FramelockStreamSource parent;
};

G_DEFINE_TYPE_WITH_CODE(FramelockTrickleSrc, framelock_trickle_src,
                        framelock_stream_source_get_type(),
                        plugins::AddTrickleSourceUri(g_define_type_id))

static void framelock_trickle_src_class_init(FramelockTrickleSrcClass* klass) {
  plugins::DescribeSource(
      FRAMELOCK_STREAM_SOURCE_CLASS(klass),
      {.name = "Trickle source",
       .description = kDescription,
       .location =
           "Channel to read: http(s)://HOST:PORT/BASE/CHANNEL, or the same with trickle(s)://",
       .stats =
           "Figures of this run, or of the last one. uint64: bytes, segments (ended ones), "
           "empty-segments, missed-segments, reconnects (requests repeated), connections, resets "
           "(the numbering went back), segment-seq (of the last bytes), queued-bytes; string: "
           "last-error"},
      "What the channel carries; NULL: let downstream find out");
  plugins::InstallOptionProperties<Options>(G_OBJECT_CLASS(klass), kOptions,
                                            plugins::kFirstSourceOption);
  gst_type_mark_as_plugin_api(StartType(), static_cast<GstPluginAPIFlags>(0));
  GST_DEBUG_CATEGORY_INIT(framelock_trickle_src_debug, "tricklesrc", 0, "trickle source");
}

static void framelock_trickle_src_init(FramelockTrickleSrc* self) {
  plugins::SetUpSource(FRAMELOCK_STREAM_SOURCE(self), std::make_unique<Model>());
}

gboolean framelock_trickle_src_register(GstPlugin* plugin) {
  return gst_element_register(plugin, "tricklesrc", GST_RANK_PRIMARY,
                              framelock_trickle_src_get_type());
}
