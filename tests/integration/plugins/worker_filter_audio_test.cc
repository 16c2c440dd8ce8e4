// SPDX-License-Identifier: Apache-2.0
// Sound through workerfilter's own pads, beside the frames.
#include <gst/gst.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "tests/integration/plugins/worker_filter_rig.h"

namespace framelock::plugins {
namespace {

constexpr char kPrompt[] = R"({"1": {"class_type": "LoadTensor", "inputs": {}},
    "2": {"class_type": "SaveTensor", "inputs": {"images": ["1", 0]}},
    "3": {"class_type": "LoadAudioTensor", "inputs": {"buffer_size": 100}},
    "4": {"class_type": "SaveAudioTensor", "inputs": {"audio": ["3", 0]}}})";

// What comes to a pad: when each buffer begins, and all samples.
struct Heard {
  std::mutex mutex;
  std::vector<GstClockTime> times;
  std::vector<std::int16_t> samples;
  bool ended = false;

  static GstPadProbeReturn OnData(GstPad*, GstPadProbeInfo* info, gpointer self) {
    auto* heard = static_cast<Heard*>(self);
    const std::lock_guard lock(heard->mutex);
    if ((GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER) == 0) {
      const GstEvent* event = GST_PAD_PROBE_INFO_EVENT(info);
      heard->ended = heard->ended || GST_EVENT_TYPE(event) == GST_EVENT_EOS;
      return GST_PAD_PROBE_OK;
    }
    GstBuffer* buffer = GST_PAD_PROBE_INFO_BUFFER(info);
    GstMapInfo map;
    gst_buffer_map(buffer, &map, GST_MAP_READ);
    const auto* samples = reinterpret_cast<const std::int16_t*>(map.data);
    heard->times.push_back(GST_BUFFER_PTS(buffer));
    heard->samples.insert(heard->samples.end(), samples, samples + map.size / 2);
    gst_buffer_unmap(buffer, &map);
    return GST_PAD_PROBE_OK;
  }
};

guint64 Stat(GstElement* filter, const char* name) {
  GstStructure* stats = nullptr;
  g_object_get(filter, "stats", &stats, nullptr);
  guint64 value = 0;
  EXPECT_TRUE(gst_structure_get_uint64(stats, name, &value)) << name;
  gst_structure_free(stats);
  return value;
}

// A second of a square wave, which survives 16 bits by and large, and three of frames.
TEST(WorkerFilterAudio, SoundGoesThroughTheGraphAndKeepsItsTime) {
  const FilterRig rig({.play = FilterRig::Options::Play::kNo});
  gchar* command = nullptr;
  g_object_get(rig.element(), "worker-command", &command, nullptr);
  GError* error = nullptr;
  GstElement* pipeline = gst_parse_launch(
      "workerfilter name=w videotestsrc is-live=true num-buffers=90 ! "
      "video/x-raw,format=RGB,width=64,height=48,framerate=30/1 ! w.sink "
      "w.src ! fakesink sync=false "
      "audiotestsrc is-live=true num-buffers=100 samplesperbuffer=480 wave=square ! "
      "audio/x-raw,format=S16LE,rate=48000,channels=1 ! w.audio_sink "
      "w.audio_src ! queue ! fakesink name=sound sync=false async=false",
      &error);
  ASSERT_EQ(error, nullptr) << error->message;
  GstElement* filter = gst_bin_get_by_name(GST_BIN(pipeline), "w");
  g_object_set(filter, "prompt", kPrompt, "worker-command", command, nullptr);
  g_free(command);
  Heard in;
  Heard out;
  const auto watch = [](GstElement* element, const char* name, Heard& heard) {
    GstPad* pad = gst_element_get_static_pad(element, name);
    ASSERT_NE(pad, nullptr) << name;
    gst_pad_add_probe(pad,
                      static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER |
                                                   GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM),
                      &Heard::OnData, &heard, nullptr);
    gst_object_unref(pad);
  };
  GstElement* sound = gst_bin_get_by_name(GST_BIN(pipeline), "sound");
  watch(filter, "audio_sink", in);
  watch(sound, "sink", out);
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  GstBus* bus = gst_element_get_bus(pipeline);
  GstMessage* end = gst_bus_timed_pop_filtered(
      bus, 20 * GST_SECOND, static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR));
  ASSERT_NE(end, nullptr);
  EXPECT_EQ(GST_MESSAGE_TYPE(end), GST_MESSAGE_EOS);
  gst_message_unref(end);
  EXPECT_EQ(Stat(filter, "audio-dropped"), 0U);
  EXPECT_GE(Stat(filter, "audio-processed"), 8U);
  EXPECT_EQ(Stat(filter, "audio-length-ms"), 100U);
  EXPECT_GT(Stat(filter, "completed"), 60U);
  gst_element_set_state(pipeline, GST_STATE_NULL);
  const std::lock_guard lock(out.mutex);
  EXPECT_TRUE(out.ended);
  ASSERT_EQ(out.samples.size(), 48'000U);
  ASSERT_EQ(out.samples.size(), in.samples.size());
  for (std::size_t i = 0; i < out.samples.size(); ++i) {
    ASSERT_NEAR(out.samples[i], in.samples[i], 1) << i;
  }
  ASSERT_FALSE(out.times.empty());
  EXPECT_EQ(out.times.front(), in.times.front());
  for (std::size_t i = 1; i < out.times.size(); ++i) EXPECT_GT(out.times[i], out.times[i - 1]);
  gst_object_unref(bus);
  gst_object_unref(sound);
  gst_object_unref(filter);
  gst_object_unref(pipeline);
}

TEST(WorkerFilterAudio, ThereIsOnePairOfPads) {
  const FilterRig environment({.play = FilterRig::Options::Play::kNo});
  GstElement* filter = gst_element_factory_make("workerfilter", nullptr);
  ASSERT_NE(filter, nullptr);
  GstPad* entry = gst_element_request_pad_simple(filter, "audio_sink");
  ASSERT_NE(entry, nullptr);
  EXPECT_EQ(gst_element_request_pad_simple(filter, "audio_sink"), nullptr);
  GstPad* exit = gst_element_get_static_pad(filter, "audio_src");
  ASSERT_NE(exit, nullptr);
  gst_object_unref(exit);
  gst_element_release_request_pad(filter, entry);
  gst_object_unref(entry);
  EXPECT_EQ(gst_element_get_static_pad(filter, "audio_src"), nullptr);
  gst_object_unref(filter);
}

}  // namespace
}  // namespace framelock::plugins
