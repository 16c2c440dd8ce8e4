// SPDX-License-Identifier: Apache-2.0
#include <gst/gst.h>
#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "pipeline/core/ts_packet.h"
#include "tests/integration/plugins/fake_websocket_server.h"
#include "tests/integration/plugins/harness.h"
#include "tests/integration/plugins/test_pipeline.h"

namespace framelock::testing {
namespace {

using namespace std::chrono_literals;
using Frames = std::vector<FakeWebSocketPeer::Frame>;

// Everything a client sends, up to its close, which is answered.
Frames ReceiveAll(FakeWebSocketPeer& peer) {
  Frames frames;
  while (const auto frame = peer.Receive()) {
    frames.push_back(*frame);
    if (frame->opcode == FakeWebSocketPeer::kClose) {
      peer.Send(frame->payload, FakeWebSocketPeer::kClose);
      break;
    }
  }
  return frames;
}

TEST(WebsocketSrc, MakesABufferOfEachMessageAndEndsWithCode1000) {
  std::promise<std::string> target;
  FakeWebSocketServer server([&](FakeWebSocketPeer& peer) {
    target.set_value(peer.target());
    peer.Send("one");
    peer.SendFragment("t", FakeWebSocketPeer::kBinary);
    peer.Send("wo", FakeWebSocketPeer::kContinuation);
    peer.Close(1000);
  });
  const HarnessPtr harness = SourceHarness("websocketsrc location=" + server.url() + "/ws/channel");
  gst_harness_play(harness.get());
  EXPECT_EQ(TakeBytes(gst_harness_pull(harness.get())), "one");
  EXPECT_EQ(TakeBytes(gst_harness_pull(harness.get())), "two");
  EXPECT_TRUE(PullEos(harness.get()));
  EXPECT_EQ(target.get_future().get(), "/ws/channel");
  EXPECT_EQ(StatOf(harness->element, "messages"), 2u);
  EXPECT_EQ(StatOf(harness->element, "bytes"), 6u);
}

TEST(WebsocketSrc, ANewConnectionIsDiscont) {
  std::atomic<int> sessions{0};
  FakeWebSocketServer server([&](FakeWebSocketPeer& peer) {
    peer.Send("hello");
    if (++sessions == 1) return peer.Close(1001);
    peer.Close(1000);
  });
  TestPipeline pipeline("websocketsrc name=src retry-initial=10 location=" + server.url() +
                        " ! fakesink");
  auto& tap = pipeline.TapPad("src", "src");
  EXPECT_TRUE(pipeline.Run().eos);
  ASSERT_EQ(tap.discont.size(), 2u);
  EXPECT_TRUE(tap.discont[1]);
  EXPECT_EQ(pipeline.Stat("src", "reconnects"), 1u);
}

TEST(WebsocketSrc, WithoutReconnectALossIsAReadError) {
  FakeWebSocketServer server([](FakeWebSocketPeer& peer) { peer.Close(1011); });
  TestPipeline pipeline("websocketsrc name=src reconnect=false location=" + server.url() +
                        " ! fakesink");
  const BusVerdict verdict = pipeline.Run();
  EXPECT_EQ(verdict.domain, GST_RESOURCE_ERROR);
  EXPECT_EQ(verdict.code, GST_RESOURCE_ERROR_READ);
  EXPECT_NE(verdict.error.find("1011"), std::string::npos) << verdict.error;
  EXPECT_NE(LastErrorOf(pipeline.Element("src").get()), "");
}

TEST(WebsocketSrc, ARefusedUpgradeIsNotFound) {
  FakeWebSocketServer server([](FakeWebSocketPeer&) {}, {.refuse_with = "404 Not Found"});
  TestPipeline pipeline("websocketsrc reconnect=false location=" + server.url() + " ! fakesink");
  EXPECT_EQ(pipeline.Run().code, GST_RESOURCE_ERROR_NOT_FOUND);
}

TEST(WebsocketSrc, StopsAtOnceWhileItWaits) {
  const DeadListener dead;
  FakeWebSocketServer silent([](FakeWebSocketPeer& peer) { peer.Receive(); });
  for (const std::string& url : {"ws://" + dead.authority(), silent.url()}) {
    TestPipeline pipeline("websocketsrc location=" + url + " ! fakesink");
    pipeline.SetState(GST_STATE_PLAYING);
    std::this_thread::sleep_for(200ms);
    EXPECT_LT(pipeline.Stop(), 1s) << url;
  }
}

TEST(WebsocketSrc, CanBePausedAndStartedAgain) {
  FakeWebSocketServer server([](FakeWebSocketPeer& peer) {
    peer.Send("x");
    peer.Receive();
  });
  TestPipeline pipeline("websocketsrc name=src location=" + server.url() + " ! fakesink");
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

TEST(WebsocketSink, SendsAMessageForEachBufferOrListAndCloses) {
  std::promise<Frames> got;
  FakeWebSocketServer server([&](FakeWebSocketPeer& peer) { got.set_value(ReceiveAll(peer)); });
  const HarnessPtr harness =
      SinkHarness("websocketsink location=" + server.url() + "/ws/x?publish=1", "text/plain");
  gst_harness_push(harness.get(), BufferOf("one"));
  gst_harness_push(harness.get(), BufferOf("two", GST_BUFFER_FLAG_DELTA_UNIT));
  GstBufferList* list = gst_buffer_list_new();
  gst_buffer_list_add(list, BufferOf("a", GST_BUFFER_FLAG_DELTA_UNIT));
  gst_buffer_list_add(list, BufferOf("b", GST_BUFFER_FLAG_DELTA_UNIT));
  gst_buffer_list_add(list, BufferOf("c"));
  EXPECT_EQ(gst_pad_push_list(harness->srcpad, list), GST_FLOW_OK);
  gst_harness_push_event(harness.get(), gst_event_new_eos());
  const Frames frames = got.get_future().get();
  std::vector<std::string> messages;
  for (const auto& frame : frames) messages.push_back(frame.payload);
  EXPECT_EQ(messages, (std::vector<std::string>{"one", "two", "ab", "c", "\x03\xe8"}));
  EXPECT_EQ(StatOf(harness->element, "messages"), 4u);
  EXPECT_EQ(StatOf(harness->element, "bytes"), 9u);
}

constexpr int kFrames = 120;
constexpr int kKeyframeEvery = 20;

TEST(WebsocketElements, TransportStreamsAreSentInGroupsAndAllOfThemDecodes) {
  std::promise<Frames> got;
  FakeWebSocketServer sink_peer([&](FakeWebSocketPeer& peer) { got.set_value(ReceiveAll(peer)); });
  TestPipeline writer("videotestsrc num-buffers=" + std::to_string(kFrames) +
                      " ! video/x-raw,width=320,height=240,framerate=30/1 ! x264enc "
                      "tune=zerolatency key-int-max=" +
                      std::to_string(kKeyframeEvery) +
                      " ! mpegtsmux ! websocketsink name=sink queue-bytes=100000000 "
                      "close-timeout=30000 location=" +
                      sink_peer.url());
  EXPECT_TRUE(writer.Run().eos);
  Frames frames = got.get_future().get();
  ASSERT_FALSE(frames.empty());
  frames.pop_back();  // the close
  EXPECT_EQ(frames.size(), static_cast<std::size_t>(kFrames)) << "one message a frame";
  EXPECT_EQ(writer.Stat("sink", "dropped-messages"), 0u);
  for (std::size_t i = 0; i < frames.size(); i += kKeyframeEvery) {
    EXPECT_EQ(frames[i].payload.substr(1, 2), std::string("\x40\0", 2))
        << "a PAT in front of " << i;
  }

  // A late joiner gets what follows.
  FakeWebSocketServer source_peer([&](FakeWebSocketPeer& peer) {
    for (std::size_t i = 2 * kKeyframeEvery; i < frames.size(); ++i) peer.Send(frames[i].payload);
    peer.Close(1000);
  });
  TestPipeline reader("websocketsrc location=" + source_peer.url() +
                      " ! tsdemux latency=0 ! h264parse ! avdec_h264 name=dec ! fakesink");
  auto& tap = reader.TapPad("dec", "src");
  EXPECT_TRUE(reader.Run().eos);
  EXPECT_EQ(tap.pts.size(), static_cast<std::size_t>(kFrames - 2 * kKeyframeEvery));
}

TEST(WebsocketSink, ASlowPeerLosesWholeGroups) {
  std::promise<void> go_on;
  std::promise<Frames> got;
  FakeWebSocketServer server([&](FakeWebSocketPeer& peer) {
    go_on.get_future().wait();
    got.set_value(ReceiveAll(peer));
  });
  const HarnessPtr harness =
      SinkHarness("websocketsink queue-bytes=2000000 close-timeout=30000 location=" + server.url(),
                  "text/plain");
  for (int group = 0; group < 26; ++group) {
    for (int part = 0; part < 5; ++part) {
      std::string bytes(100000, static_cast<char>('a' + group));
      bytes[1] = static_cast<char>('0' + part);
      EXPECT_EQ(gst_harness_push(harness.get(),
                                 BufferOf(bytes, part == 0 ? 0 : GST_BUFFER_FLAG_DELTA_UNIT)),
                GST_FLOW_OK);
    }
    EXPECT_LE(StatOf(harness->element, "queued-bytes"), 2000000u);
  }
  go_on.set_value();
  gst_harness_push_event(harness.get(), gst_event_new_eos());
  Frames frames = got.get_future().get();
  frames.pop_back();  // the close
  EXPECT_GT(StatOf(harness->element, "dropped-groups"), 5u);
  EXPECT_EQ(frames.size() + StatOf(harness->element, "dropped-messages"), 130u);
  ASSERT_FALSE(frames.empty());
  EXPECT_EQ(frames.front().payload[1], '0');
  for (std::size_t i = 1; i < frames.size(); ++i) {
    if (frames[i].payload[1] == '0') continue;
    EXPECT_EQ(frames[i].payload[0], frames[i - 1].payload[0]);
    EXPECT_EQ(frames[i].payload[1], frames[i - 1].payload[1] + 1);
  }
}

TEST(WebsocketSink, AClosingPeerIsAWriteError) {
  FakeWebSocketServer server([](FakeWebSocketPeer& peer) { peer.Close(1000); });
  TestPipeline pipeline(
      "videotestsrc is-live=true ! video/x-raw,width=64,height=64 ! websocketsink "
      "location=" +
      server.url());
  const BusVerdict verdict = pipeline.Run();
  EXPECT_EQ(verdict.domain, GST_RESOURCE_ERROR);
  EXPECT_EQ(verdict.code, GST_RESOURCE_ERROR_WRITE);
}

TEST(WebsocketSink, StopsAtOnceWhileItClosesTowardsADeadServer) {
  const DeadListener dead;
  TestPipeline pipeline(
      "videotestsrc num-buffers=3 ! websocketsink name=sink close-timeout=20000 "
      "location=ws://" +
      dead.authority());
  pipeline.SetState(GST_STATE_PLAYING);
  std::this_thread::sleep_for(300ms);
  EXPECT_GT(pipeline.Stat("sink", "queued-bytes"), 0u);
  EXPECT_LT(pipeline.Stop(), 1s);
}

}  // namespace
}  // namespace framelock::testing
