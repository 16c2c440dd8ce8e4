// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/copy_count.h"

#include <gst/gst.h>
#include <spdlog/fmt/fmt.h>

#include <memory>
#include <string>

namespace framelock::bench {
namespace {

constexpr GstClockTime kTimeout = 60 * GST_SECOND;

using Pipeline = std::unique_ptr<GstElement, void (*)(GstElement*)>;

void End(GstElement* pipeline) {
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(pipeline);
}

Status PlayToEnd(GstElement* pipeline) {
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  const std::unique_ptr<GstBus, void (*)(gpointer)> bus(gst_element_get_bus(pipeline),
                                                        gst_object_unref);
  const std::unique_ptr<GstMessage, void (*)(GstMessage*)> message(
      gst_bus_timed_pop_filtered(bus.get(), kTimeout,
                                 static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR)),
      [](GstMessage* one) {
        if (one != nullptr) gst_message_unref(one);
      });
  if (!message) return Error{ErrorCode::kTimeout, "the pipeline did not end"};
  if (GST_MESSAGE_TYPE(message.get()) == GST_MESSAGE_EOS) return {};
  GError* error = nullptr;
  gst_message_parse_error(message.get(), &error, nullptr);
  const std::string text = error->message;
  g_error_free(error);
  return Error{ErrorCode::kInternal, text};
}

std::uint64_t Field(const GstStructure* stats, const char* name) {
  guint64 value = 0;
  gst_structure_get_uint64(stats, name, &value);
  return value;
}

}  // namespace

Result<CopyCount> CopyCount::Take(const FrameShape& frame, int frames,
                                  const std::filesystem::path& plugins) {
  gst_init(nullptr, nullptr);
  gst_registry_scan_path(gst_registry_get(), plugins.c_str());
  const std::string launch = fmt::format(
      "videotestsrc num-buffers={} ! video/x-raw,format={},width={},height={},framerate=30/1 ! "
      "workerfilter name=filter full-policy=block ! fakesink",
      frames, frame.bytes_per_pixel == 4 ? "RGBA" : "RGB", frame.width, frame.height);
  GError* wrong = nullptr;
  const Pipeline pipeline(gst_parse_launch(launch.c_str(), &wrong), End);
  if (wrong != nullptr) {
    const Error error{ErrorCode::kUnavailable, wrong->message};
    g_error_free(wrong);
    return error;
  }
  if (auto played = PlayToEnd(pipeline.get()); !played) return played.error();
  const std::unique_ptr<GstElement, void (*)(gpointer)> filter(
      gst_bin_get_by_name(GST_BIN(pipeline.get()), "filter"), gst_object_unref);
  GstStructure* stats = nullptr;
  g_object_get(filter.get(), "stats", &stats, nullptr);
  const CopyCount count{.completed = Field(stats, "completed"),
                        .copies = Field(stats, "copied-in") + Field(stats, "copied-out")};
  gst_structure_free(stats);
  return count;
}

}  // namespace framelock::bench
