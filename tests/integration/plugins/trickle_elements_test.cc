// SPDX-License-Identifier: Apache-2.0
#include <gst/gst.h>
#include <gtest/gtest.h>

#include <thread>

#include "tests/integration/plugins/fake_channel.h"
#include "tests/integration/plugins/harness.h"
#include "tests/integration/plugins/test_pipeline.h"
#include "tests/unit/plugins/ts_bytes.h"

namespace framelock::testing {
namespace {

using namespace std::chrono_literals;

// One packet that carries a programme clock.
std::string ClockPacket(TsWriter& writer, std::uint64_t pcr) {
  const auto packet = writer.Start(0x101, {.pcr = pcr});
  return {packet.begin(), packet.end()};
}

std::string Reading(const FakeChannel& channel) {
  return "tricklesrc retry-initial=10 location=" + channel.url();
}

TEST(TrickleSrc, PushesTheBytesOfAllSegmentsThenEos) {
  FakeChannel channel;
  channel.Put(0, "first");
  channel.Put(1, "second");
  channel.Close();
  const HarnessPtr harness = SourceHarness(Reading(channel) + " start-seq=0");
  gst_harness_play(harness.get());
  std::string bytes;
  while (bytes.size() < 11) {
    GstBuffer* buffer = gst_harness_pull(harness.get());
    ASSERT_NE(buffer, nullptr);
    EXPECT_EQ(GST_BUFFER_OFFSET(buffer), bytes.size());
    bytes += TakeBytes(buffer);
  }
  EXPECT_EQ(bytes, "firstsecond");
  EXPECT_TRUE(PullEos(harness.get()));
  GstCaps* caps = gst_pad_get_current_caps(harness->sinkpad);
  EXPECT_TRUE(gst_structure_has_name(gst_caps_get_structure(caps, 0), "video/mpegts"));
  gst_caps_unref(caps);
  EXPECT_EQ(StatOf(harness->element, "bytes"), 11u);
  EXPECT_EQ(StatOf(harness->element, "segments"), 2u);
  EXPECT_EQ(StatOf(harness->element, "missed-segments"), 0u);
}

TEST(TrickleSrc, IsLiveAndStampsArrivalOnlyIfTold) {
  for (const gboolean stamp : {gboolean{FALSE}, gboolean{TRUE}}) {
    FakeChannel channel;
    channel.Put(0, "x");
    const HarnessPtr harness = SourceHarness(Reading(channel));
    g_object_set(harness->element, "do-timestamp", stamp, nullptr);
    gst_harness_play(harness.get());
    GstBuffer* first = gst_harness_pull(harness.get());  // gets a zero from the base class
    ASSERT_NE(first, nullptr);
    gst_buffer_unref(first);
    channel.Put(1, "y");
    GstBuffer* second = gst_harness_pull(harness.get());
    ASSERT_NE(second, nullptr);
    EXPECT_EQ(GST_BUFFER_PTS_IS_VALID(second), stamp != FALSE);
    gst_buffer_unref(second);
    GstQuery* query = gst_query_new_latency();
    ASSERT_TRUE(gst_pad_peer_query(harness->sinkpad, query));
    gboolean live = FALSE;
    gst_query_parse_latency(query, &live, nullptr, nullptr);
    gst_query_unref(query);
    EXPECT_TRUE(live);
  }
}

TEST(TrickleSrc, AGapIsDiscontAndAMessage) {
  FakeChannel channel;
  TsWriter writer;
  channel.Put(0, ClockPacket(writer, 90000));
  channel.Put(5, ClockPacket(writer, 6 * 90000));
  channel.Close();
  TestPipeline pipeline(
      "tricklesrc name=src start-seq=0 retry-initial=10 location=" + channel.url() + " ! fakesink");
  auto& tap = pipeline.TapPad("src", "src");
  const BusVerdict verdict = pipeline.Run();
  EXPECT_TRUE(verdict.eos) << verdict.error;
  ASSERT_EQ(tap.discont.size(), 2u);
  EXPECT_TRUE(tap.discont[1]);
  ASSERT_EQ(verdict.element_messages.size(), 1u);
  const GstStructure* gap = verdict.element_messages[0];
  EXPECT_TRUE(gst_structure_has_name(gap, "trickle-gap"));
  guint64 missed = 0;
  guint64 seq = 0;
  gboolean new_timeline = TRUE;
  EXPECT_TRUE(gst_structure_get(gap, "missed-segments", G_TYPE_UINT64, &missed, "segment-seq",
                                G_TYPE_UINT64, &seq, "new-timeline", G_TYPE_BOOLEAN, &new_timeline,
                                nullptr));
  EXPECT_EQ(missed, 4u);
  EXPECT_EQ(seq, 5u);
  EXPECT_FALSE(new_timeline);
  EXPECT_EQ(pipeline.Stat("src", "missed-segments"), 4u);
}

TEST(TrickleSrc, ANewTimelineIsLeftToTheDemuxer) {
  FakeChannel channel;
  TsWriter writer;
  channel.Put(0, ClockPacket(writer, 60 * 90000));
  channel.Put(5, ClockPacket(writer, 90000));
  channel.Close();
  TestPipeline pipeline(
      "tricklesrc name=src start-seq=0 retry-initial=10 location=" + channel.url() + " ! fakesink");
  auto& tap = pipeline.TapPad("src", "src");
  const BusVerdict verdict = pipeline.Run();
  EXPECT_TRUE(verdict.eos) << verdict.error;
  ASSERT_EQ(tap.discont.size(), 2u);
  EXPECT_FALSE(tap.discont[1]);
  ASSERT_EQ(verdict.element_messages.size(), 1u);
  gboolean new_timeline = FALSE;
  gst_structure_get_boolean(verdict.element_messages[0], "new-timeline", &new_timeline);
  EXPECT_TRUE(new_timeline);
}

TEST(TrickleSrc, GivesUpOnAMissingChannelAndOnAClosedPort) {
  FakeHttpServer server([](FakeHttpExchange& exchange) { exchange.Respond("404 Not Found"); });
  const std::string options = "tricklesrc name=src retry-initial=10 give-up-after=200 location=";
  {
    TestPipeline pipeline(options + server.url() + "/x ! fakesink");
    const BusVerdict verdict = pipeline.Run();
    EXPECT_EQ(verdict.domain, GST_RESOURCE_ERROR);
    EXPECT_EQ(verdict.code, GST_RESOURCE_ERROR_NOT_FOUND);
    EXPECT_NE(verdict.error, "");
  }
  TestPipeline pipeline(options + "http://127.0.0.1:1/x ! fakesink");
  const BusVerdict verdict = pipeline.Run();
  EXPECT_EQ(verdict.domain, GST_RESOURCE_ERROR);
  EXPECT_EQ(verdict.code, GST_RESOURCE_ERROR_READ);
  EXPECT_NE(LastErrorOf(pipeline.Element("src").get()), "");
}

TEST(TrickleSrc, StopsAtOnceWhileItWaits) {
  const DeadListener dead;
  FakeChannel empty;
  for (const std::string& url : {"http://" + dead.authority() + "/x", empty.url()}) {
    TestPipeline pipeline("tricklesrc location=" + url + " ! fakesink");
    pipeline.SetState(GST_STATE_PLAYING);
    std::this_thread::sleep_for(200ms);
    EXPECT_LT(pipeline.Stop(), 1s) << url;
  }
}

TEST(TrickleSrc, CanBePausedAndStartedAgain) {
  FakeChannel channel;
  channel.Put(0, "x");
  TestPipeline pipeline("tricklesrc name=src location=" + channel.url() + " ! fakesink");
  auto& tap = pipeline.TapPad("src", "src");
  for (std::size_t run = 1; run <= 3; ++run) {
    pipeline.SetState(GST_STATE_PLAYING);
    while (tap.count() < run) std::this_thread::sleep_for(1ms);
    pipeline.SetState(GST_STATE_PAUSED);
    pipeline.SetState(GST_STATE_PLAYING);
    EXPECT_LT(pipeline.Stop(), 1s);
    EXPECT_EQ(pipeline.Stat("src", "bytes"), 1u) << "the last run's statistics stay";
  }
}

std::string Publishing(const FakeChannel& channel, const std::string& content_type) {
  return "tricklesink content-type=" + content_type + " location=" + channel.url();
}

TEST(TrickleSink, OtherMediaBeginSegmentsWithoutDeltaUnits) {
  FakeChannel channel;
  const HarnessPtr harness =
      SinkHarness(Publishing(channel, "application/json"), "application/json");
  gst_harness_push(harness.get(), BufferOf("one "));
  gst_harness_push(harness.get(), BufferOf("more", GST_BUFFER_FLAG_DELTA_UNIT));
  GstBufferList* list = gst_buffer_list_new();
  gst_buffer_list_add(list, BufferOf("two"));
  gst_buffer_list_add(list, BufferOf(" too", GST_BUFFER_FLAG_DELTA_UNIT));
  gst_buffer_list_add(list, BufferOf("three"));
  EXPECT_EQ(gst_pad_push_list(harness->srcpad, list), GST_FLOW_OK);
  gst_harness_push_event(harness.get(), gst_event_new_eos());
  EXPECT_EQ(channel.WaitForAll(30s), (std::vector<std::string>{"one more", "two too", "three"}));
  EXPECT_TRUE(channel.deleted());
  EXPECT_EQ(StatOf(harness->element, "segments"), 3u);
  EXPECT_EQ(StatOf(harness->element, "bytes"), 20u);
}

TEST(TrickleSink, KeepsTheChannelIfTold) {
  FakeChannel channel;
  const HarnessPtr harness =
      SinkHarness(Publishing(channel, "text/plain") + " delete-channel=false", "text/plain");
  gst_harness_push(harness.get(), BufferOf("one"));
  gst_harness_push_event(harness.get(), gst_event_new_eos());
  EXPECT_EQ(channel.WaitForAll(100ms), std::vector<std::string>{"one"});
  EXPECT_FALSE(channel.deleted());
}

TEST(TrickleSink, MinSegmentDurationJoins) {
  FakeChannel channel;
  const HarnessPtr harness = SinkHarness(
      Publishing(channel, "text/plain") + " min-segment-duration=1000000000", "text/plain");
  const char* names[] = {"a", "b", "c", "d"};
  const GstClockTime times[] = {0, GST_SECOND / 2, GST_SECOND, 3 * GST_SECOND};
  for (int i = 0; i < 4; ++i) {
    GstBuffer* buffer = BufferOf(names[i]);
    GST_BUFFER_PTS(buffer) = times[i];
    EXPECT_EQ(gst_harness_push(harness.get(), buffer), GST_FLOW_OK);
  }
  gst_harness_push_event(harness.get(), gst_event_new_eos());
  EXPECT_EQ(channel.WaitForAll(30s), (std::vector<std::string>{"ab", "c", "d"}));
}

TEST(TrickleSink, RefusesOtherCapsThanItsContentType) {
  FakeChannel channel;
  TestPipeline pipeline("videotestsrc num-buffers=5 ! tricklesink location=" + channel.url());
  const BusVerdict verdict = pipeline.Run();
  EXPECT_NE(verdict.error.find("video/raw") != std::string::npos ||
                verdict.error.find("video/x-raw") != std::string::npos,
            false)
      << verdict.error;
}

TEST(TrickleSink, SaysThatItFoundNothingToSend) {
  for (const std::string filltype : {"random", "zero"}) {
    FakeChannel channel;
    TestPipeline pipeline("fakesrc num-buffers=50 sizetype=fixed sizemax=1000 filltype=" +
                          filltype + " ! tricklesink name=sink location=" + channel.url());
    const BusVerdict verdict = pipeline.Run();
    EXPECT_EQ(verdict.code, GST_RESOURCE_ERROR_WRITE);
    EXPECT_NE(verdict.error.find("nothing was sent"), std::string::npos) << verdict.error;
    EXPECT_GT(pipeline.Stat("sink", "skipped-bytes"), 0u);
    EXPECT_TRUE(channel.WaitForAll(1s).empty());
  }
}

TEST(TrickleSink, ReportsADeadServerOnlyAfterGivingUp) {
  TestPipeline pipeline(
      "videotestsrc is-live=true ! video/x-raw,width=64,height=64,framerate=60/1 ! x264enc "
      "tune=zerolatency key-int-max=6 ! mpegtsmux ! tricklesink name=sink retry-initial=10 "
      "give-up-after=600 queue-bytes=8192 location=http://127.0.0.1:1/x");
  const auto begin = std::chrono::steady_clock::now();
  const BusVerdict verdict = pipeline.Run();
  EXPECT_GT(std::chrono::steady_clock::now() - begin, 500ms);
  EXPECT_EQ(verdict.domain, GST_RESOURCE_ERROR);
  EXPECT_EQ(verdict.code, GST_RESOURCE_ERROR_WRITE) << verdict.error;
  EXPECT_GT(pipeline.Stat("sink", "dropped-segments"), 0u);
}

TEST(TrickleSink, StopsAtOnceWhileItClosesTowardsADeadServer) {
  const DeadListener dead;
  TestPipeline pipeline(
      "videotestsrc num-buffers=10 ! x264enc ! mpegtsmux ! tricklesink "
      "name=sink close-timeout=20000 location=http://" +
      dead.authority() + "/x");
  pipeline.SetState(GST_STATE_PLAYING);
  std::this_thread::sleep_for(500ms);
  EXPECT_GT(pipeline.Stat("sink", "queued-bytes"), 0u);
  EXPECT_LT(pipeline.Stop(), 1s);
}

TEST(TrickleSink, AChannelEndedByTheServerIsAnError) {
  FakeHttpServer server([](FakeHttpExchange& exchange) {
    if (exchange.request().starts_with("POST /x/")) {
      exchange.Respond("200 OK", "Lp-Trickle-Seq: 0\r\nLp-Trickle-Closed: terminated\r\n");
    } else {
      exchange.Respond("200 OK", {}, exchange.request().ends_with("next") ? "0" : "");
    }
  });
  TestPipeline pipeline(
      "videotestsrc is-live=true ! video/x-raw,width=64,height=64 ! x264enc tune=zerolatency "
      "key-int-max=3 ! mpegtsmux ! tricklesink location=" +
      server.url() + "/x");
  const BusVerdict verdict = pipeline.Run(10s);
  EXPECT_EQ(verdict.domain, GST_RESOURCE_ERROR);
  EXPECT_EQ(verdict.code, GST_RESOURCE_ERROR_WRITE);
}

// Real H.264, made by a real muxer that writes its tables when it likes.
constexpr int kFrames = 150;
constexpr int kKeyframeEvery = 25;

std::vector<std::string> PublishedSegments(FakeChannel& channel) {
  TestPipeline pipeline("videotestsrc num-buffers=" + std::to_string(kFrames) +
                        " ! video/x-raw,width=320,height=240,framerate=30/1 ! x264enc "
                        "tune=zerolatency key-int-max=" +
                        std::to_string(kKeyframeEvery) +
                        " ! h264parse config-interval=-1 ! mpegtsmux ! tricklesink name=sink "
                        "close-timeout=30000 location=" +
                        channel.url());
  const BusVerdict verdict = pipeline.Run();
  EXPECT_TRUE(verdict.eos) << verdict.error;
  EXPECT_EQ(pipeline.Stat("sink", "skipped-packets"), 0u);
  return channel.WaitForAll(1s);
}

// Frames that a reader decodes, and their timestamps.
struct Decoded {
  std::vector<GstClockTime> pts;
};
Decoded Decode(const std::string& url, int start_seq) {
  TestPipeline pipeline("tricklesrc start-seq=" + std::to_string(start_seq) + " location=" + url +
                        " ! tsdemux latency=0 ! h264parse ! avdec_h264 name=dec ! fakesink");
  auto& tap = pipeline.TapPad("dec", "src");
  const BusVerdict verdict = pipeline.Run();
  EXPECT_TRUE(verdict.eos) << verdict.error;
  return {tap.pts};
}

TEST(TrickleElements, EverySegmentStartsWithTablesAndAKeyframe) {
  FakeChannel channel;
  const auto segments = PublishedSegments(channel);
  ASSERT_EQ(segments.size(), static_cast<std::size_t>(kFrames / kKeyframeEvery));
  for (const std::string& segment : segments) {
    ASSERT_EQ(segment.size() % kTsPacketBytes, 0u);
    ASSERT_GE(segment.size(), 3 * kTsPacketBytes);
    std::vector<TsPacket> packets;
    TsPacketReader reader;
    reader.Push(std::as_bytes(std::span(segment)).first(3 * kTsPacketBytes),
                [&](const TsPacket& packet) { packets.push_back(packet); });
    ASSERT_EQ(packets.size(), 3u);
    EXPECT_EQ(TsHeader(packets[0]).pid(), 0) << "PAT";
    EXPECT_EQ(TsHeader(packets[1]).pid(), 0x20) << "PMT";
    EXPECT_NE(packets[2][5] & 0x40, 0) << "random access";
  }
}

TEST(TrickleElements, EveryFrameArrivesOnceWithItsTime) {
  FakeChannel channel;
  PublishedSegments(channel);
  const Decoded all = Decode(channel.url(), 0);
  ASSERT_EQ(all.pts.size(), static_cast<std::size_t>(kFrames));
  for (int i = 0; i < kFrames; ++i) {
    const auto expected = static_cast<GstClockTime>(i) * GST_SECOND / 30;
    const auto got = all.pts[static_cast<std::size_t>(i)] - all.pts[0];
    EXPECT_LE(std::max(got, expected) - std::min(got, expected), GST_SECOND / 90000 + 1) << i;
  }
}

TEST(TrickleElements, AReaderMayJoinAtAnySegment) {
  FakeChannel channel;
  PublishedSegments(channel);
  for (int seq = 1; seq < kFrames / kKeyframeEvery; ++seq) {
    EXPECT_EQ(Decode(channel.url(), seq).pts.size(),
              static_cast<std::size_t>(kFrames - seq * kKeyframeEvery));
  }
}

TEST(TrickleElements, AGapKeepsTheOffsetOfTimestamps) {
  FakeChannel published;
  const auto segments = PublishedSegments(published);
  FakeChannel gappy;
  for (const int seq : {0, 1, 4, 5}) gappy.Put(seq, segments[static_cast<std::size_t>(seq)]);
  gappy.Close();
  const Decoded decoded = Decode(gappy.url(), 0);
  ASSERT_EQ(decoded.pts.size(), static_cast<std::size_t>(4 * kKeyframeEvery));
  const GstClockTime jump = decoded.pts[2 * kKeyframeEvery] - decoded.pts[0];
  const GstClockTime expected = 4 * kKeyframeEvery * GST_SECOND / 30;
  EXPECT_LE(std::max(jump, expected) - std::min(jump, expected), GST_SECOND / 90000 + 1);
}

// A publisher in the field writes each segment with a fresh muxer: continuity counters start again.
TEST(TrickleElements, FreshMuxersLoseNoFrameAtTheBoundaries) {
  FakeChannel published;
  const auto segments = PublishedSegments(published);
  FakeChannel fresh;
  int seq = 0;
  for (std::string segment : segments) {
    std::map<int, unsigned> counters;
    for (std::size_t at = 0; at < segment.size(); at += kTsPacketBytes) {
      const auto high = static_cast<std::uint8_t>(segment[at + 1]);
      const int pid = (high & 0x1f) << 8 | static_cast<std::uint8_t>(segment[at + 2]);
      const auto control = static_cast<std::uint8_t>(segment[at + 3]);
      if ((control & 0x10) == 0) continue;
      segment[at + 3] = static_cast<char>((control & 0xf0) | counters[pid]++ % 16);
    }
    fresh.Put(seq++, segment);
  }
  fresh.Close();
  EXPECT_EQ(Decode(fresh.url(), 0).pts.size(), static_cast<std::size_t>(kFrames));
}

}  // namespace
}  // namespace framelock::testing
