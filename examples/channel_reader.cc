// SPDX-License-Identifier: Apache-2.0
#include "examples/channel_reader.h"

#include <gst/app/gstappsink.h>
#include <gst/video/video.h>

#include <algorithm>
#include <cstdlib>
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

// What a decoder may hold back, and more.
constexpr std::size_t kMaxUnits = 256;

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
  // So that the demuxer keeps its video pad when an audio track comes or goes.
  GST_OBJECT_FLAG_SET(pipeline_, GST_BIN_FLAG_STREAMS_AWARE);
  Result<GstElement*> source = MakeChannelSource(url);
  if (!source) return source.error();
  gst_bin_add(GST_BIN(pipeline_), *source);
  Result<GstElement*> decode = MakeChain(kDecode);
  if (!decode) return decode.error();
  decode_ = *decode;
  GstElement* demux = gst_element_factory_make("tsdemux", nullptr);
  if (demux == nullptr) return Error{ErrorCode::kNotFound, "no GStreamer element tsdemux"};
  g_object_set(demux, "latency", 0, "emit-stats", TRUE, nullptr);
  gst_bus_set_sync_handler(bus_, &ChannelReader::OnMessage, this, nullptr);
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

GstBusSyncReply ChannelReader::OnMessage(GstBus* /*bus*/, GstMessage* message, gpointer self) {
  if (GST_MESSAGE_TYPE(message) != GST_MESSAGE_ELEMENT) return GST_BUS_PASS;
  const GstStructure* stats = gst_message_get_structure(message);
  if (gst_structure_has_name(stats, "tsdemux") == 0) return GST_BUS_PASS;
  guint pid = 0;
  guint64 pts = 0;
  if (gst_structure_get_uint(stats, "pid", &pid) != 0 &&
      gst_structure_get_uint64(stats, "pts", &pts) != 0) {
    auto* reader = static_cast<ChannelReader*>(self);
    const std::lock_guard lock(reader->mutex_);
    auto& announced = reader->announced_pts_[pid];
    announced.push_back(static_cast<std::int64_t>(pts));
    if (announced.size() > kMaxUnits) announced.pop_front();
  }
  gst_message_unref(message);
  return GST_BUS_DROP;
}

GstPadProbeReturn ChannelReader::OnUnit(GstPad* pad, GstPadProbeInfo* info, gpointer self) {
  auto* reader = static_cast<ChannelReader*>(self);
  // tsdemux names its pads after programme and PID, both in hexadecimal: video_0_0041.
  const std::string name = GST_PAD_NAME(pad);
  const auto pid =
      static_cast<guint>(g_ascii_strtoull(name.c_str() + name.rfind('_') + 1, nullptr, 16));
  const std::lock_guard lock(reader->mutex_);
  auto& units = reader->published_pts_;
  const GstClockTime time = GST_BUFFER_PTS(GST_PAD_PROBE_INFO_BUFFER(info));
  units[time] = reader->TakePts(pid, time);
  if (units.size() > kMaxUnits) units.erase(units.begin());
  return GST_PAD_PROBE_OK;
}

// The demuxer may announce several before it gives out the first, and may give out none of one: its
// own times tell which is meant.
std::int64_t ChannelReader::TakePts(guint pid, GstClockTime time) {
  auto& announced = announced_pts_[pid];
  if (announced.empty()) return last_unit_ ? last_unit_->pts : 0;
  auto best = announced.begin();
  if (last_unit_) {
    const auto passed = static_cast<std::int64_t>(time - last_unit_->time);
    const std::int64_t likely = last_unit_->pts + passed * 9 / 100'000;
    best = std::min_element(announced.begin(), announced.end(), [&](auto one, auto other) {
      return std::llabs(one - likely) < std::llabs(other - likely);
    });
  }
  last_unit_ = Unit{time, *best};
  announced.erase(announced.begin(), best + 1);
  return last_unit_->pts;
}

void ChannelReader::OnPad(GstElement* /*demux*/, GstPad* pad, gpointer self) {
  GstCaps* caps = gst_pad_get_current_caps(pad);
  if (caps == nullptr) return;
  const bool h264 = gst_structure_has_name(gst_caps_get_structure(caps, 0), "video/x-h264") != 0;
  gst_caps_unref(caps);
  if (!h264) return;
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, &ChannelReader::OnUnit, self, nullptr);
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
    auto* reader = static_cast<ChannelReader*>(self);
    std::int64_t pts = 0;
    {
      const std::lock_guard lock(reader->mutex_);
      const auto unit = reader->published_pts_.find(GST_BUFFER_PTS(buffer));
      if (unit != reader->published_pts_.end()) pts = unit->second;
    }
    reader->on_frame_({picture, pts});
    gst_video_frame_unmap(&frame);
  }
  gst_sample_unref(sample);
  return GST_FLOW_OK;
}

Status ChannelReader::Check() { return CheckBus(bus_); }

}  // namespace framelock::demo
