// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/plugins/test_pipeline.h"

#include <gtest/gtest.h>

namespace framelock::testing {

TestPipeline::TestPipeline(const std::string& description) {
  GError* error = nullptr;
  GstElement* element = gst_parse_launch(description.c_str(), &error);
  EXPECT_EQ(error, nullptr) << error->message;
  g_clear_error(&error);
  if (!GST_IS_PIPELINE(element)) {
    // A single element comes without a pipeline, and so without a bus.
    GstElement* pipeline = gst_pipeline_new(nullptr);
    gst_bin_add(GST_BIN(pipeline), element);
    element = pipeline;
  }
  pipeline_.reset(element);
}

TestPipeline::~TestPipeline() {
  Stop();
  for (GstStructure* message : messages_) gst_structure_free(message);
}

BusVerdict TestPipeline::Run(std::chrono::seconds timeout) {
  SetState(GST_STATE_PLAYING);
  return Wait(timeout);
}

BusVerdict TestPipeline::Wait(std::chrono::seconds timeout) {
  constexpr auto kTypes =
      static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR | GST_MESSAGE_ELEMENT);
  const GstClockTime limit =
      gst_util_get_timestamp() + static_cast<GstClockTime>(timeout.count()) * GST_SECOND;
  GstBus* bus = gst_element_get_bus(pipeline_.get());
  BusVerdict verdict;
  while (!verdict.eos && verdict.error.empty()) {
    const GstClockTime now = gst_util_get_timestamp();
    GstMessage* message =
        now < limit ? gst_bus_timed_pop_filtered(bus, limit - now, kTypes) : nullptr;
    if (message == nullptr) {
      ADD_FAILURE() << "neither EOS nor an error in time";
      break;
    }
    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS) {
      verdict.eos = true;
    } else if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ELEMENT) {
      messages_.push_back(gst_structure_copy(gst_message_get_structure(message)));
      verdict.element_messages.push_back(messages_.back());
    } else {
      GError* error = nullptr;
      gst_message_parse_error(message, &error, nullptr);
      verdict.error = error->message;
      verdict.domain = error->domain;
      verdict.code = error->code;
      g_error_free(error);
    }
    gst_message_unref(message);
  }
  gst_object_unref(bus);
  return verdict;
}

std::chrono::milliseconds TestPipeline::Stop() {
  const auto begin = std::chrono::steady_clock::now();
  SetState(GST_STATE_NULL);
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                               begin);
}

ElementPtr TestPipeline::Element(const char* name) const {
  return ElementPtr(gst_bin_get_by_name(GST_BIN(pipeline_.get()), name));
}

TestPipeline::Tap& TestPipeline::TapPad(const char* element, const char* pad) {
  taps_.push_back(std::make_unique<Tap>());
  GstPad* tapped = gst_element_get_static_pad(Element(element).get(), pad);
  gst_pad_add_probe(
      tapped, GST_PAD_PROBE_TYPE_BUFFER,
      [](GstPad*, GstPadProbeInfo* info, gpointer user) {
        auto* tap = static_cast<Tap*>(user);
        GstBuffer* buffer = GST_PAD_PROBE_INFO_BUFFER(info);
        GstMapInfo map;
        gst_buffer_map(buffer, &map, GST_MAP_READ);
        const std::lock_guard lock(tap->mutex);
        tap->pts.push_back(GST_BUFFER_PTS(buffer));
        tap->discont.push_back(GST_BUFFER_IS_DISCONT(buffer) != FALSE);
        tap->bytes.append(reinterpret_cast<const char*>(map.data), std::min<gsize>(map.size, 4096));
        gst_buffer_unmap(buffer, &map);
        return GST_PAD_PROBE_OK;
      },
      taps_.back().get(), nullptr);
  gst_object_unref(tapped);
  return *taps_.back();
}

guint64 TestPipeline::Stat(const char* element, const char* field) const {
  return StatOf(Element(element).get(), field);
}

guint64 StatOf(GstElement* element, const char* field) {
  GstStructure* stats = nullptr;
  g_object_get(element, "stats", &stats, nullptr);
  guint64 value = 0;
  EXPECT_TRUE(gst_structure_get_uint64(stats, field, &value)) << field;
  gst_structure_free(stats);
  return value;
}

std::string LastErrorOf(GstElement* element) {
  GstStructure* stats = nullptr;
  g_object_get(element, "stats", &stats, nullptr);
  const std::string text = gst_structure_get_string(stats, "last-error");
  gst_structure_free(stats);
  return text;
}

}  // namespace framelock::testing
