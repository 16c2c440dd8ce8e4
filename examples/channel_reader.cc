// SPDX-License-Identifier: Apache-2.0
#include "examples/channel_reader.h"

#include <gst/app/gstappsink.h>
#include <gst/video/video.h>

#include <utility>

#include "examples/channel_elements.h"

namespace framelock::demo {

namespace {

// Framelock and the demo source put exactly one access unit into each PES packet, so the parser
// need not wait for the next one to see the end of this one.
constexpr char kDecode[] =
    "capssetter join=true caps=video/x-h264,alignment=au ! h264parse ! "
    "avdec_h264 max-threads=1 qos=false ! videoconvert ! video/x-raw,format=RGB ! "
    "appsink name=pictures sync=false max-buffers=4 emit-signals=true";

}  // namespace

ChannelReader::ChannelReader(OnFrame on_frame)
    : on_frame_(std::move(on_frame)),
      pipeline_(gst_pipeline_new("reader")),
      bus_(gst_element_get_bus(pipeline_)) {}

ChannelReader::~ChannelReader() {
  gst_element_set_state(pipeline_, GST_STATE_NULL);
  gst_object_unref(bus_);
  gst_object_unref(pipeline_);
}

Result<std::unique_ptr<ChannelReader>> ChannelReader::Open(const std::string& url,
                                                           OnFrame on_frame) {
  std::unique_ptr<ChannelReader> reader(new ChannelReader(std::move(on_frame)));
  if (const Status built = reader->Build(url); !built) return built.error();
  gst_element_set_state(reader->pipeline_, GST_STATE_PLAYING);
  return reader;
}

Status ChannelReader::Build(const std::string& url) {
  Result<GstElement*> source = MakeChannelSource(url);
  if (!source) return source.error();
  gst_bin_add(GST_BIN(pipeline_), *source);
  Result<GstElement*> decode = MakeChain(kDecode);
  if (!decode) return decode.error();
  decode_ = *decode;
  GstElement* demux = gst_element_factory_make("tsdemux", nullptr);
  if (demux == nullptr) return Error{ErrorCode::kNotFound, "no GStreamer element tsdemux"};
  g_object_set(demux, "latency", 0, nullptr);
  gst_bin_add_many(GST_BIN(pipeline_), demux, decode_, nullptr);
  if (gst_element_link(*source, demux) == 0) {
    return Error{ErrorCode::kInternal, "the reader's elements do not link"};
  }
  g_signal_connect(demux, "pad-added", G_CALLBACK(&ChannelReader::OnPad), this);
  GstElement* sink = gst_bin_get_by_name(GST_BIN(decode_), "pictures");
  g_signal_connect(sink, "new-sample", G_CALLBACK(&ChannelReader::OnSample), this);
  gst_object_unref(sink);
  return {};
}

void ChannelReader::OnPad(GstElement* /*demux*/, GstPad* pad, gpointer self) {
  GstCaps* caps = gst_pad_get_current_caps(pad);
  if (caps == nullptr) return;
  const bool h264 = gst_structure_has_name(gst_caps_get_structure(caps, 0), "video/x-h264") != 0;
  gst_caps_unref(caps);
  if (!h264) return;
  GstPad* target = gst_element_get_static_pad(static_cast<ChannelReader*>(self)->decode_, "sink");
  GstPad* former = gst_pad_get_peer(target);
  if (former != nullptr) {
    gst_pad_unlink(former, target);
    gst_object_unref(former);
  }
  gst_pad_link(pad, target);
  gst_object_unref(target);
}

GstFlowReturn ChannelReader::OnSample(GstElement* sink, gpointer self) {
  GstSample* sample = gst_app_sink_pull_sample(GST_APP_SINK(sink));
  if (sample == nullptr) return GST_FLOW_EOS;
  GstBuffer* buffer = gst_sample_get_buffer(sample);
  GstVideoInfo info;
  GstVideoFrame frame;
  if (gst_video_info_from_caps(&info, gst_sample_get_caps(sample)) != 0 &&
      gst_video_frame_map(&frame, &info, buffer, GST_MAP_READ) != 0) {
    const PictureView picture{
        .pixels = static_cast<std::uint8_t*>(GST_VIDEO_FRAME_PLANE_DATA(&frame, 0)),
        .width = GST_VIDEO_FRAME_WIDTH(&frame),
        .height = GST_VIDEO_FRAME_HEIGHT(&frame),
        .stride = static_cast<std::size_t>(GST_VIDEO_FRAME_PLANE_STRIDE(&frame, 0)),
        .channels = 3};
    const auto pts = static_cast<std::int64_t>(GST_BUFFER_PTS(buffer));
    static_cast<ChannelReader*>(self)->on_frame_({picture, std::chrono::nanoseconds(pts)});
    gst_video_frame_unmap(&frame);
  }
  gst_sample_unref(sample);
  return GST_FLOW_OK;
}

Status ChannelReader::Check() { return CheckBus(bus_); }

}  // namespace framelock::demo
