// SPDX-License-Identifier: Apache-2.0
// What no stream can do without: decodes, converts to RGB and back, and encodes the transport
// stream on descriptor 3 with the elements and settings of framelock-stream, and shows nobody.
// Usage: framelock-bench-chain WIDTH HEIGHT
#include <gst/gst.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "pipeline/stream/elements.h"
#include "pipeline/stream/h264_encoder.h"

namespace {

using namespace framelock;

std::string Decode(const std::string& width, const std::string& height) {
  return "fdsrc fd=3 ! tsdemux latency=0 ! h264parse ! avdec_h264 max-threads=1 qos=false ! "
         "videoconvertscale ! video/x-raw,format=RGB,width=" +
         width + ",height=" + height + " ! videoconvertscale name=last";
}

Status Run(const std::string& width, const std::string& height) {
  if (const Status ready = stream::InitGStreamer(std::nullopt); !ready) return ready;
  GstElement* pipeline = gst_parse_launch(Decode(width, height).c_str(), nullptr);
  if (pipeline == nullptr) return Error{ErrorCode::kNotFound, "an element of the chain is missing"};
  Result<GstElement*> encoder =
      stream::MakeH264Encoder({.pixels = std::atoi(width.c_str()) * std::atoi(height.c_str())});
  if (!encoder) return encoder.error();
  Result<GstElement*> sink = stream::MakeElement("fakesink");
  if (!sink) return sink.error();
  g_object_set(*sink, "sync", FALSE, nullptr);
  gst_bin_add_many(GST_BIN(pipeline), *encoder, *sink, nullptr);
  GstElement* last = gst_bin_get_by_name(GST_BIN(pipeline), "last");
  const bool linked = gst_element_link_many(last, *encoder, *sink, nullptr) != 0;
  gst_object_unref(last);
  if (!linked) return Error{ErrorCode::kInternal, "the chain's elements do not link"};
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  GstBus* bus = gst_element_get_bus(pipeline);
  GstMessage* end = gst_bus_timed_pop_filtered(
      bus, GST_CLOCK_TIME_NONE, static_cast<GstMessageType>(GST_MESSAGE_ERROR | GST_MESSAGE_EOS));
  std::string failure;
  if (GST_MESSAGE_TYPE(end) == GST_MESSAGE_ERROR) {
    GError* error = nullptr;
    gst_message_parse_error(end, &error, nullptr);
    failure = error->message;
    g_error_free(error);
  }
  gst_message_unref(end);
  gst_object_unref(bus);
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(pipeline);
  if (!failure.empty()) return Error{ErrorCode::kInternal, failure};
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: framelock-bench-chain WIDTH HEIGHT\n");
    return 2;
  }
  const Status ran = Run(argv[1], argv[2]);
  if (ran.ok()) return 0;
  std::fprintf(stderr, "framelock-bench-chain: %s\n", ran.error().message.c_str());
  return 1;
}
