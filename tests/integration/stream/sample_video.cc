// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/stream/sample_video.h"

#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <thread>

#include "examples/channel_reader.h"
#include "examples/test_picture.h"

namespace framelock::stream {

namespace {

GstBuffer* Picture(const SampleVideo& video, std::uint32_t number) {
  const std::size_t stride = (static_cast<std::size_t>(video.width) * 3 + 3) & ~std::size_t{3};
  GstBuffer* buffer =
      gst_buffer_new_allocate(nullptr, stride * static_cast<std::size_t>(video.height), nullptr);
  GstMapInfo map;
  gst_buffer_map(buffer, &map, GST_MAP_WRITE);
  const demo::PictureView view{.pixels = map.data,
                               .width = video.width,
                               .height = video.height,
                               .stride = stride,
                               .channels = 3};
  demo::DrawTestPicture(view, {.number = number, .clock = {}, .hue_degrees = 0});
  demo::DrawStamp(video.stamped_middle ? demo::MiddleOf(view, video.width, video.height) : view,
                  {.number = number, .sent_at = {}});
  gst_buffer_unmap(buffer, &map);
  constexpr GstClockTime kHalfTick = 5556;  // the muxer rounds down
  GST_BUFFER_PTS(buffer) =
      gst_util_uint64_scale(number, GST_SECOND, static_cast<guint64>(video.fps)) + kHalfTick;
  GST_BUFFER_DURATION(buffer) = GST_SECOND / static_cast<guint64>(video.fps);
  return buffer;
}

Bytes Drain(GstElement* sink) {
  Bytes bytes;
  while (GstSample* sample = gst_app_sink_pull_sample(GST_APP_SINK(sink))) {
    GstMapInfo map;
    gst_buffer_map(gst_sample_get_buffer(sample), &map, GST_MAP_READ);
    bytes.insert(bytes.end(), map.data, map.data + map.size);
    gst_buffer_unmap(gst_sample_get_buffer(sample), &map);
    gst_sample_unref(sample);
  }
  return bytes;
}

}  // namespace

Bytes MakeSample(const SampleVideo& video) {
  const std::string description =
      "appsrc name=in format=time max-buffers=4 block=true caps=video/x-raw,format=RGB,width=" +
      std::to_string(video.width) + ",height=" + std::to_string(video.height) +
      ",framerate=" + std::to_string(video.fps) + "/1 ! videoconvert ! " + video.encoder +
      " ! mux.sink_" + std::to_string(video.pid) +
      " mpegtsmux name=mux ! appsink name=out sync=false " + video.beside;
  GstElement* pipeline = gst_parse_launch(description.c_str(), nullptr);
  GstElement* source = gst_bin_get_by_name(GST_BIN(pipeline), "in");
  GstElement* sink = gst_bin_get_by_name(GST_BIN(pipeline), "out");
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  std::thread feeder([&] {
    for (int i = 0; i < video.frames; ++i) {
      const std::uint32_t number = video.first_number + static_cast<std::uint32_t>(i);
      gst_app_src_push_buffer(GST_APP_SRC(source), Picture(video, number));
    }
    gst_app_src_end_of_stream(GST_APP_SRC(source));
  });
  Bytes bytes = Drain(sink);
  feeder.join();
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(source);
  gst_object_unref(sink);
  gst_object_unref(pipeline);
  return bytes;
}

std::vector<SeenFrame> Decode(const Bytes& transport_stream, const SampleVideo& stamped) {
  const std::string path = std::filesystem::temp_directory_path() /
                           ("framelock-test-" + std::to_string(::getpid()) + ".ts");
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(transport_stream.data()),
             static_cast<std::streamsize>(transport_stream.size()));
  std::vector<SeenFrame> frames;
  auto reader =
      demo::ChannelReader::Open("file://" + path, [&](const demo::ChannelReader::Frame& frame) {
        const auto& picture = frame.picture;
        const auto read = demo::FindStamp(
            stamped.stamped_middle ? demo::MiddleOf(picture, stamped.width, stamped.height)
                                   : picture);
        frames.push_back({frame.pts_ticks, read, picture.width, picture.height});
      });
  while (reader && (*reader)->Check().ok())
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  if (reader) reader->reset();  // joins, so that the frames are ours
  std::filesystem::remove(path);
  return frames;
}

}  // namespace framelock::stream
