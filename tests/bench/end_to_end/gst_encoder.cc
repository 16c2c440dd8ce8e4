// SPDX-License-Identifier: Apache-2.0
#include <gst/app/gstappsrc.h>
#include <gst/gst.h>

#include <cstring>
#include <utility>

#include "examples/channel_elements.h"
#include "tests/bench/end_to_end/source_encoder.h"

namespace framelock::bench {

namespace {

using std::chrono::nanoseconds;

// Half a 90 kHz tick: the muxer rounds down, so that each pts lands on its nearest tick.
constexpr nanoseconds kHalfTick{5556};
constexpr guint64 kMaxQueued = 8;  // pictures that the encoder may be behind

std::string Chain(const SourceEncoder::Options& options) {
  return "videoconvert ! video/x-raw,format=I420 ! x264enc tune=zerolatency "
         "speed-preset=superfast threads=1 bframes=0 key-int-max=" +
         std::to_string(options.gop_frames) + " bitrate=" + std::to_string(options.bitrate_kbps) +
         " option-string=scenecut=0 ! h264parse config-interval=-1 ! mpegtsmux";
}

class GstEncoder final : public SourceEncoder {
 public:
  GstEncoder() : pipeline_(gst_pipeline_new("source")) {}
  ~GstEncoder() override {
    gst_element_set_state(pipeline_, GST_STATE_NULL);
    gst_object_unref(pipeline_);
  }

  Status Build(const Options& options) {
    Result<GstElement*> sink = demo::MakeChannelSink(options.url);
    if (!sink) return sink.error();
    gst_bin_add(GST_BIN(pipeline_), *sink);
    Result<GstElement*> encode = demo::MakeChain(Chain(options));
    if (!encode) return encode.error();
    GstElement* source = gst_element_factory_make("appsrc", nullptr);
    if (source == nullptr) return Error{ErrorCode::kNotFound, "no GStreamer element appsrc"};
    gst_bin_add_many(GST_BIN(pipeline_), source, *encode, nullptr);
    source_ = GST_APP_SRC(source);
    GstCaps* caps = gst_caps_new_simple(
        "video/x-raw", "format", G_TYPE_STRING, "RGB", "width", G_TYPE_INT, options.width, "height",
        G_TYPE_INT, options.height, "framerate", GST_TYPE_FRACTION, options.fps, 1, nullptr);
    g_object_set(source, "caps", caps, "format", GST_FORMAT_TIME, "is-live", TRUE, "max-buffers",
                 kMaxQueued, "max-bytes", guint64{0}, "block", TRUE, nullptr);
    gst_caps_unref(caps);
    if (gst_element_link_many(source, *encode, *sink, nullptr) == 0) {
      return Error{ErrorCode::kInternal, "the source's elements do not link"};
    }
    gst_element_set_state(pipeline_, GST_STATE_PLAYING);
    return {};
  }

  Status Push(const demo::PictureView& picture, nanoseconds time) override {
    const std::size_t bytes = picture.stride * static_cast<std::size_t>(picture.height);
    GstBuffer* buffer = gst_buffer_new_allocate(nullptr, bytes, nullptr);
    gst_buffer_fill(buffer, 0, picture.pixels, bytes);
    GST_BUFFER_PTS(buffer) = static_cast<GstClockTime>((time + kHalfTick).count());
    if (gst_app_src_push_buffer(source_, buffer) == GST_FLOW_OK) return {};
    GstBus* bus = gst_element_get_bus(pipeline_);
    const Status said = demo::CheckBus(bus);
    gst_object_unref(bus);
    return said.ok() ? Error{ErrorCode::kInternal, "the source's encoder takes no picture"} : said;
  }

 private:
  GstElement* pipeline_;
  GstAppSrc* source_ = nullptr;  // the pipeline's
};

}  // namespace

Result<std::unique_ptr<SourceEncoder>> MakeGstEncoder(const SourceEncoder::Options& options) {
  auto encoder = std::make_unique<GstEncoder>();
  if (const Status built = encoder->Build(options); !built) return built.error();
  return std::unique_ptr<SourceEncoder>(std::move(encoder));
}

}  // namespace framelock::bench
