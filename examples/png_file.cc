// SPDX-License-Identifier: Apache-2.0
#include "examples/png_file.h"

#include <gst/app/gstappsrc.h>
#include <gst/gst.h>
#include <gst/video/video.h>

#include <cstring>

#include "examples/channel_elements.h"

namespace framelock::demo {

namespace {

constexpr GstClockTime kPatience = 30 * GST_SECOND;

GstBuffer* ToBuffer(const Picture& picture, const GstVideoInfo& info) {
  GstBuffer* buffer = gst_buffer_new_allocate(nullptr, GST_VIDEO_INFO_SIZE(&info), nullptr);
  GstMapInfo map;
  gst_buffer_map(buffer, &map, GST_MAP_WRITE);
  const auto row = static_cast<std::size_t>(picture.width) * 3;
  const auto stride = static_cast<std::size_t>(GST_VIDEO_INFO_PLANE_STRIDE(&info, 0));
  for (int y = 0; y < picture.height; ++y) {
    const auto line = static_cast<std::size_t>(y);
    std::memcpy(map.data + line * stride, picture.rgb.data() + line * row, row);
  }
  gst_buffer_unmap(buffer, &map);
  return buffer;
}

Status RunToEnd(GstElement* pipeline, GstElement* source, const Picture& picture) {
  GstVideoInfo info;
  gst_video_info_set_format(&info, GST_VIDEO_FORMAT_RGB, static_cast<guint>(picture.width),
                            static_cast<guint>(picture.height));
  GstCaps* caps = gst_video_info_to_caps(&info);
  g_object_set(source, "caps", caps, "format", GST_FORMAT_TIME, nullptr);
  gst_caps_unref(caps);
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  gst_app_src_push_buffer(GST_APP_SRC(source), ToBuffer(picture, info));
  gst_app_src_end_of_stream(GST_APP_SRC(source));
  GstBus* bus = gst_element_get_bus(pipeline);
  constexpr auto kWanted = static_cast<GstMessageType>(GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
  GstMessage* message = gst_bus_timed_pop_filtered(bus, kPatience, kWanted);
  const bool written = message != nullptr && GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS;
  if (message != nullptr) gst_message_unref(message);
  gst_object_unref(bus);
  if (written) return {};
  return Error{ErrorCode::kInternal, "the picture could not be written"};
}

}  // namespace

Status WritePng(const Picture& picture, const std::string& path) {
  if (picture.rgb.empty()) return Error{ErrorCode::kInvalidArgument, path + ": no picture"};
  Result<GstElement*> chain = MakeChain("appsrc name=pictures ! pngenc ! filesink name=file");
  if (!chain) return chain.error();
  GstElement* pipeline = gst_pipeline_new(nullptr);
  gst_bin_add(GST_BIN(pipeline), *chain);
  GstElement* source = gst_bin_get_by_name(GST_BIN(pipeline), "pictures");
  GstElement* file = gst_bin_get_by_name(GST_BIN(pipeline), "file");
  g_object_set(file, "location", path.c_str(), nullptr);
  const Status status = RunToEnd(pipeline, source, picture);
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(file);
  gst_object_unref(source);
  gst_object_unref(pipeline);
  if (status.ok()) return {};
  return Error{ErrorCode::kInternal, path + ": " + status.error().message};
}

}  // namespace framelock::demo
