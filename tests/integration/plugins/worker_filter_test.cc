// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/integration/plugins/worker_filter_rig.h"

namespace framelock::plugins {
namespace {

using Rig = FilterRig;

void ExpectMatch(const Rig::Frame& frame) { EXPECT_EQ(frame.pts, frame.number * 33 * GST_MSECOND); }

TEST(WorkerFilter, EveryFrameComesBackInvertedUnderItsOwnTime) {
  Rig rig({.properties = "full-policy=block"});
  rig.SetCaps("RGB", 64, 48);
  for (std::uint32_t n = 0; n < 200; ++n) {
    ASSERT_EQ(rig.Push(n), GST_FLOW_OK);
    const auto frame = rig.Pull();
    ASSERT_TRUE(frame) << n;
    ExpectMatch(*frame);
    EXPECT_EQ(frame->number, n);
    EXPECT_TRUE(frame->inverted);
  }
  EXPECT_EQ(rig.Stat("completed"), 200U);
  EXPECT_EQ(rig.Stat("open"), 0U);
  rig.ExpectAccount();
}

TEST(WorkerFilter, NoPixelIsCopiedOnOurSide) {
  Rig rig({.properties = "full-policy=block"});
  rig.SetCaps("RGBA", 64, 48);
  ASSERT_TRUE(rig.WaitReady());
  for (std::uint32_t n = 0; n < 50; ++n) {
    GstBuffer* buffer = rig.PoolBuffer();
    GstMapInfo map;
    ASSERT_TRUE(gst_buffer_map(buffer, &map, GST_MAP_READ));
    EXPECT_TRUE(IsSharedWithWorker(map.data));
    gst_buffer_unmap(buffer, &map);
    gst_buffer_unref(buffer);
    ASSERT_EQ(rig.Push(n), GST_FLOW_OK);
    const auto frame = rig.Pull();
    ASSERT_TRUE(frame);
    EXPECT_TRUE(frame->inverted);
    EXPECT_TRUE(IsSharedWithWorker(frame->pixels));
  }
  EXPECT_EQ(rig.Stat("copied-in"), 0U);
  EXPECT_EQ(rig.Stat("copied-out"), 0U);
  EXPECT_EQ(rig.Stat("completed"), 50U);
}

// Counts the buffers on a pad and those that do not lie in the shared region.
struct PadCount {
  int buffers = 0;
  int elsewhere = 0;

  void Watch(GstElement* element, const char* name) {
    GstPad* pad = gst_element_get_static_pad(element, name);
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, OnBuffer, this, nullptr);
    gst_object_unref(pad);
  }
  static GstPadProbeReturn OnBuffer(GstPad*, GstPadProbeInfo* info, gpointer user_data) {
    auto* count = static_cast<PadCount*>(user_data);
    GstMapInfo map;
    gst_buffer_map(GST_PAD_PROBE_INFO_BUFFER(info), &map, GST_MAP_READ);
    ++count->buffers;
    if (!IsSharedWithWorker(map.data)) ++count->elsewhere;
    gst_buffer_unmap(GST_PAD_PROBE_INFO_BUFFER(info), &map);
    return GST_PAD_PROBE_OK;
  }
};

TEST(WorkerFilter, AConverterWritesStraightIntoTheRegion) {
  const Rig rig({.properties = "full-policy=block", .play = Rig::Options::Play::kNo});
  GError* error = nullptr;
  GstElement* pipeline = gst_pipeline_new(nullptr);
  GstElement* source = gst_parse_bin_from_description(
      "videotestsrc num-buffers=100 ! video/x-raw,format=I420,width=320,height=240 ! videoconvert",
      TRUE, &error);
  ASSERT_EQ(error, nullptr) << error->message;
  GstElement* sink =
      gst_parse_bin_from_description("videoconvert ! fakesink sync=false", TRUE, &error);
  ASSERT_EQ(error, nullptr) << error->message;
  gst_bin_add_many(GST_BIN(pipeline), source, rig.element(), sink, nullptr);
  ASSERT_TRUE(gst_element_link_many(source, rig.element(), sink, nullptr));
  PadCount in;
  PadCount out;
  in.Watch(rig.element(), "sink");
  out.Watch(rig.element(), "src");
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  GstBus* bus = gst_element_get_bus(pipeline);
  GstMessage* end = gst_bus_timed_pop_filtered(
      bus, 20 * GST_SECOND, static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR));
  ASSERT_NE(end, nullptr);
  EXPECT_EQ(GST_MESSAGE_TYPE(end), GST_MESSAGE_EOS);
  EXPECT_EQ(rig.Stat("completed"), 100U);
  EXPECT_EQ(rig.Stat("copied-in"), 0U);
  EXPECT_EQ(rig.Stat("copied-out"), 0U);
  EXPECT_EQ(in.buffers, 100);
  EXPECT_EQ(in.elsewhere, 0);
  EXPECT_EQ(out.buffers, 100);
  EXPECT_EQ(out.elsewhere, 0);
  gst_message_unref(end);
  gst_object_unref(bus);
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_bin_remove(GST_BIN(pipeline), rig.element());
  gst_object_unref(pipeline);
}

TEST(WorkerFilter, ForeignMemoryIsCopiedAndCounted) {
  Rig rig({.properties = "full-policy=block"});
  rig.SetCaps("RGB", 62, 48);  // rows with padding
  for (std::uint32_t n = 0; n < 10; ++n) {
    rig.PushPlain(n);
    const auto frame = rig.Pull();
    ASSERT_TRUE(frame);
    ExpectMatch(*frame);
    EXPECT_TRUE(frame->inverted);
  }
  EXPECT_EQ(rig.Stat("copied-in"), 10U);
}

TEST(WorkerFilter, TwoBuffersMayShareOneMemory) {
  Rig rig({.properties = "full-policy=block"});
  rig.SetCaps("RGB", 64, 48);
  ASSERT_TRUE(rig.WaitReady());
  GstBuffer* first = rig.PoolBuffer();
  GstBuffer* second = gst_buffer_copy(first);
  GST_BUFFER_PTS(first) = 0;
  GST_BUFFER_PTS(second) = 1;
  gst_harness_push(rig.harness(), gst_buffer_ref(first));
  gst_harness_push(rig.harness(), second);
  for (GstClockTime pts = 0; pts < 2; ++pts) {
    GstBuffer* buffer = rig.PullBuffer();
    ASSERT_NE(buffer, nullptr);
    EXPECT_EQ(GST_BUFFER_PTS(buffer), pts);
    gst_buffer_unref(buffer);
  }
  gst_buffer_unref(first);
  EXPECT_EQ(rig.Stat("completed"), 2U);
  EXPECT_EQ(rig.Stat("copied-in"), 1U);
}

TEST(WorkerFilter, ADownstreamThatKeepsEveryBufferDoesNotStopTheStream) {
  Rig rig({.properties = "full-policy=block downstream-margin=2"});
  rig.SetCaps("RGB", 64, 48);
  std::vector<GstBuffer*> kept;
  for (std::uint32_t n = 0; n < 60; ++n) {
    ASSERT_EQ(rig.Push(n), GST_FLOW_OK);
    GstBuffer* buffer = rig.PullBuffer();
    ASSERT_NE(buffer, nullptr) << n;
    kept.push_back(buffer);
  }
  EXPECT_EQ(rig.Stat("completed"), 60U);
  EXPECT_GT(rig.Stat("copied-out"), 50U);
  for (GstBuffer* buffer : kept) gst_buffer_unref(buffer);
}

TEST(WorkerFilter, AnUpstreamThatKeepsItsBuffersDoesNotBlock) {
  Rig rig({.properties = "full-policy=block"});
  rig.SetCaps("RGB", 64, 48);
  std::vector<GstBuffer*> kept;
  for (int i = 0; i < 40; ++i) kept.push_back(rig.PoolBuffer());
  EXPECT_EQ(rig.Push(1), GST_FLOW_OK);
  for (GstBuffer* buffer : kept) gst_buffer_unref(buffer);
  ASSERT_TRUE(rig.Pull());
  rig.Push(2);
  ASSERT_TRUE(rig.Pull());
}

TEST(WorkerFilter, TheGraphMayChangeTheSize) {
  Rig rig({.prompt = PromptOf(
               {Node("ImageScale", R"("upscale_method":"nearest-exact","width":256,"height":96,)"
                                   R"("crop":"disabled")")}),
           .properties = "full-policy=block"});
  rig.SetCaps("RGB", 64, 48);
  for (std::uint32_t n = 0; n < 20; ++n) {
    rig.Push(n);
    GstBuffer* buffer = rig.PullBuffer();
    ASSERT_NE(buffer, nullptr);
    EXPECT_EQ(gst_buffer_get_size(buffer), 256U * 96 * 3);
    EXPECT_EQ(GST_BUFFER_PTS(buffer), n * 33 * GST_MSECOND);
    gst_buffer_unref(buffer);
  }
  EXPECT_EQ(rig.Stat("completed"), 20U);
  EXPECT_LT(rig.Stat("copied-in"), 4U);  // until upstream asked for larger slots' region
  // The one caps event says the graph's size: nothing was announced before it was known.
  const auto event = rig.PullEvent(GST_EVENT_CAPS);
  ASSERT_TRUE(event);
  GstCaps* caps = nullptr;
  gst_event_parse_caps(*event, &caps);
  gint width = 0;
  gst_structure_get_int(gst_caps_get_structure(caps, 0), "width", &width);
  EXPECT_EQ(width, 256);
  gst_event_unref(*event);
  EXPECT_FALSE(rig.PullEvent(GST_EVENT_CAPS, 0));
}

TEST(WorkerFilter, APromptThatChangesTheSizeWhileRunningIsAnnounced) {
  Rig rig({.properties = "full-policy=block"});
  rig.SetCaps("RGB", 64, 48);
  rig.Push(0);
  ASSERT_TRUE(rig.Pull());
  for (const int width : {128, 32, 512}) {
    ASSERT_TRUE(
        rig.SetPrompt(PromptOf({Node("ImageScale", R"("upscale_method":"bilinear","width":)" +
                                                       std::to_string(width) +
                                                       R"(,"height":48,"crop":"disabled")")}))
            .applied);
    for (std::uint32_t n = 1; n < 5; ++n) {
      rig.Push(n);
      GstBuffer* buffer = rig.PullBuffer();
      ASSERT_NE(buffer, nullptr);
      EXPECT_EQ(gst_buffer_get_size(buffer), static_cast<gsize>(width) * 48 * 3);
      gst_buffer_unref(buffer);
    }
  }
  EXPECT_EQ(rig.Stat("failed"), 0U);
  rig.ExpectAccount();
}

TEST(WorkerFilter, TheFormatMayChangeMidStream) {
  Rig rig({.properties = "full-policy=block"});
  std::uint32_t n = 0;
  for (int round = 0; round < 6; ++round) {
    rig.SetCaps(round % 2 == 0 ? "RGB" : "RGBA", 64 + 16 * round, 48);
    for (int i = 0; i < 10; ++i, ++n) {
      ASSERT_EQ(rig.Push(n), GST_FLOW_OK);
      const auto frame = rig.Pull();
      ASSERT_TRUE(frame);
      ExpectMatch(*frame);
      EXPECT_TRUE(frame->inverted);
      EXPECT_EQ(frame->number, n);
      EXPECT_EQ(frame->width, 64 + 16 * round);
    }
  }
  EXPECT_EQ(rig.Stat("copied-in"), 0U);
  EXPECT_EQ(rig.Stat("completed"), 60U);
}

TEST(WorkerFilter, AFormatTooLargeIsRefusedWithItsReason) {
  Rig rig({});
  gst_harness_set_src_caps_str(rig.harness(),
                               "video/x-raw,format=RGB,width=16384,height=4096,framerate=30/1");
  EXPECT_EQ(gst_harness_push(rig.harness(), gst_buffer_new()), GST_FLOW_NOT_NEGOTIATED);
  const auto error = rig.WaitMessage("error");
  ASSERT_TRUE(error);
  EXPECT_FALSE(error->detail.empty());
}

TEST(WorkerFilter, EosComesAfterTheFramesInFlight) {
  Rig rig({.prompt = PromptOf({Invert(), Node("FaultSleep", R"("seconds":0.05)")}),
           .properties = "full-policy=block max-in-flight=4"});
  rig.SetCaps("RGB", 64, 48);
  for (std::uint32_t n = 0; n < 5; ++n) rig.Push(n);
  gst_harness_push_event(rig.harness(), gst_event_new_eos());
  const auto event = rig.PullEvent(GST_EVENT_EOS);
  ASSERT_TRUE(event);
  gst_event_unref(*event);
  const auto frames = rig.Drain();
  ASSERT_EQ(frames.size(), 5U);
  for (const auto& frame : frames) EXPECT_TRUE(frame.inverted);
}

TEST(WorkerFilter, EosDoesNotWaitForAWorkerThatDoesNotCome) {
  Rig rig({.properties = "max-wait=200", .worker = Rig::Options::Worker::kLent});
  rig.SetCaps("RGB", 64, 48);
  rig.Push(1);
  gst_harness_push_event(rig.harness(), gst_event_new_eos());
  const auto event = rig.PullEvent(GST_EVENT_EOS, 2000);
  ASSERT_TRUE(event);
  gst_event_unref(*event);
  EXPECT_EQ(rig.Drain().size(), 1U);
  EXPECT_EQ(rig.Stat("skipped"), 1U);
}

TEST(WorkerFilter, AfterTheStopNoFrameIsOpen) {
  Rig rig({.prompt = PromptOf({Invert(), Node("FaultSleep", R"("seconds":1)")}),
           .properties = "max-in-flight=2"});
  rig.SetCaps("RGB", 64, 48);
  ASSERT_TRUE(rig.WaitReady());
  for (std::uint32_t n = 0; n < 4; ++n) rig.Push(n);
  EXPECT_GE(rig.Stat("open"), 1U);
  gst_element_set_state(rig.element(), GST_STATE_READY);
  EXPECT_EQ(rig.Stat("inputs"), 4U);
  EXPECT_EQ(rig.Stat("open"), 0U);
  EXPECT_EQ(rig.TextStat("worker-state"), "none");
  EXPECT_EQ(rig.WorkerPid(), 0);
  rig.ExpectAccount();
}

TEST(WorkerFilter, EventsKeepTheirPlace) {
  Rig rig({.properties = "full-policy=block"});
  rig.SetCaps("RGB", 64, 48);
  rig.Push(0);
  for (int i = 0; i < 200; ++i) {  // more than the line holds
    gst_harness_push_event(
        rig.harness(), gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM,
                                            gst_structure_new("n", "i", G_TYPE_INT, i, nullptr)));
  }
  rig.Push(1);
  for (int i = 0; i < 200; ++i) {
    const auto event = rig.PullEvent(GST_EVENT_CUSTOM_DOWNSTREAM);
    ASSERT_TRUE(event);
    gint number = -1;
    gst_structure_get_int(gst_event_get_structure(*event), "i", &number);
    EXPECT_EQ(number, i);
    gst_event_unref(*event);
  }
  EXPECT_TRUE(rig.Pull());
  EXPECT_TRUE(rig.Pull());
}

TEST(WorkerFilter, NothingOfBeforeAFlushComesAfterIt) {
  Rig rig({.prompt = PromptOf({Invert(), Node("FaultSleep", R"("seconds":0.02)")}),
           .properties = "max-in-flight=4"});
  rig.SetCaps("RGB", 64, 48);
  ASSERT_TRUE(rig.WaitReady());
  for (std::uint32_t round = 0; round < 10; ++round) {
    const std::uint32_t first = round * 100;
    for (std::uint32_t n = first; n < first + 6; ++n) rig.Push(n);
    gst_harness_push_event(rig.harness(), gst_event_new_flush_start());
    gst_harness_push_event(rig.harness(), gst_event_new_flush_stop(TRUE));
    rig.Drain();
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    gst_harness_push_event(rig.harness(), gst_event_new_segment(&segment));
    ASSERT_EQ(rig.Push(first + 50), GST_FLOW_OK);
    const auto frame = rig.Pull();
    ASSERT_TRUE(frame);
    EXPECT_EQ(frame->number, first + 50);
    ExpectMatch(*frame);
    EXPECT_TRUE(frame->inverted);
  }
  ASSERT_TRUE(Rig::Eventually([&] { return rig.Stat("open") == 0; }));
  rig.ExpectAccount();
}

TEST(WorkerFilter, AHundredRunsLeaveNothingBehind) {
  const Rig rig({.properties = "max-in-flight=2", .play = Rig::Options::Play::kNo});
  GError* error = nullptr;
  GstElement* pipeline = gst_pipeline_new(nullptr);
  GstElement* source = gst_parse_bin_from_description(
      "videotestsrc is-live=true ! capsfilter caps=video/x-raw,format=RGB,width=64,height=48,"
      "framerate=200/1",
      TRUE, &error);
  ASSERT_EQ(error, nullptr) << error->message;
  GstElement* sink = gst_element_factory_make("fakesink", nullptr);
  gst_bin_add_many(GST_BIN(pipeline), source, rig.element(), sink, nullptr);  // takes a reference
  ASSERT_TRUE(gst_element_link_many(source, rig.element(), sink, nullptr));
  const auto run = [&](int i) {
    gst_element_set_state(pipeline, i % 7 == 0 ? GST_STATE_PAUSED : GST_STATE_PLAYING);
    if (i % 3 == 0) rig.WaitReady();
    if (i % 4 == 0) g_usleep(static_cast<gulong>(i) * 300);
    gst_element_set_state(pipeline, GST_STATE_NULL);
  };
  for (int i = 0; i < 8; ++i) run(i);  // what GStreamer keeps for itself
  const Resources before = ResourcesNow();
  for (int i = 0; i < 100; ++i) run(i);
  // Threads of GStreamer's pool end a while after their last task.
  EXPECT_TRUE(Rig::Eventually([&] {
    const Resources now = ResourcesNow();
    return now.fds <= before.fds && now.threads <= before.threads && now.children == 0 &&
           now.regions == 0;
  })) << ResourcesNow()
      << " after " << before;
  gst_bin_remove(GST_BIN(pipeline), rig.element());
  gst_object_unref(pipeline);
}

TEST(WorkerFilter, BuffersOutliveTheElement) {
  GstBuffer* kept = nullptr;
  {
    Rig rig({.properties = "full-policy=block"});
    rig.SetCaps("RGB", 64, 48);
    rig.Push(5);
    kept = rig.PullBuffer();
    ASSERT_NE(kept, nullptr);
  }
  GstMapInfo map;
  ASSERT_TRUE(gst_buffer_map(kept, &map, GST_MAP_READ));
  EXPECT_EQ(map.data[0], 0);  // bit 0 of 5, inverted
  gst_buffer_unmap(kept, &map);
  gst_buffer_unref(kept);
  EXPECT_EQ(ResourcesNow().regions, 0);
}

TEST(WorkerFilter, LatencyIsReported) {
  Rig rig({.properties = "latency=70"});
  GstQuery* query = gst_query_new_latency();
  gst_harness_set_upstream_latency(rig.harness(), 5 * GST_MSECOND);
  ASSERT_TRUE(gst_pad_peer_query(rig.harness()->sinkpad, query));
  GstClockTime shortest = 0;
  gst_query_parse_latency(query, nullptr, &shortest, nullptr);
  EXPECT_EQ(shortest, 75 * GST_MSECOND);
  gst_query_unref(query);
}

}  // namespace
}  // namespace framelock::plugins
