// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/plugins/harness.h"

#include <gtest/gtest.h>

namespace framelock::testing {
namespace {

HarnessPtr HarnessAround(const std::string& description, const char* sink, const char* src) {
  GstElement* element = gst_parse_launch(description.c_str(), nullptr);
  EXPECT_NE(element, nullptr) << description;
  HarnessPtr harness(gst_harness_new_with_element(element, sink, src));
  gst_object_unref(element);
  return harness;
}

}  // namespace

HarnessPtr SourceHarness(const std::string& description) {
  return HarnessAround(description, nullptr, "src");
}

HarnessPtr SinkHarness(const std::string& description, const char* caps) {
  HarnessPtr harness = HarnessAround(description, "sink", nullptr);
  gst_harness_set_src_caps_str(harness.get(), caps);
  return harness;
}

std::string BytesOf(GstBuffer* buffer) {
  GstMapInfo map;
  gst_buffer_map(buffer, &map, GST_MAP_READ);
  std::string bytes(reinterpret_cast<const char*>(map.data), map.size);
  gst_buffer_unmap(buffer, &map);
  return bytes;
}

std::string TakeBytes(GstBuffer* buffer) {
  if (buffer == nullptr) return "(no buffer)";
  std::string bytes = BytesOf(buffer);
  gst_buffer_unref(buffer);
  return bytes;
}

GstBuffer* BufferOf(const std::string& bytes, guint flags) {
  GstBuffer* buffer = gst_buffer_new_memdup(bytes.data(), bytes.size());
  GST_BUFFER_FLAG_SET(buffer, flags);
  return buffer;
}

bool PullEos(GstHarness* harness) {
  for (;;) {
    GstEvent* event = gst_harness_pull_event(harness);
    if (event == nullptr) return false;
    const bool is_eos = GST_EVENT_TYPE(event) == GST_EVENT_EOS;
    gst_event_unref(event);
    if (is_eos) return true;
  }
}

}  // namespace framelock::testing
