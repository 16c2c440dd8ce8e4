// SPDX-License-Identifier: Apache-2.0
// The elements and the relay, live: a camera that writes at 30 frames a second, and its readers.
#include <gst/gst.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <thread>

#include "tests/integration/plugins/child.h"
#include "tests/integration/plugins/test_pipeline.h"

namespace framelock::testing {
namespace {

using namespace std::chrono_literals;

constexpr int kFrames = 90;
constexpr int kKeyframeEvery = 15;
constexpr GstClockTime kTick = GST_SECOND / 90000 + 1;

std::string Camera(const std::string& sink) {
  return "videotestsrc is-live=true num-buffers=" + std::to_string(kFrames) +
         " ! video/x-raw,width=320,height=240,framerate=30/1 ! x264enc tune=zerolatency "
         "key-int-max=" +
         std::to_string(kKeyframeEvery) + " ! h264parse config-interval=-1 ! mpegtsmux ! " + sink;
}

std::string Reader(const std::string& source) {
  return source + " ! tsdemux latency=0 ! h264parse ! avdec_h264 name=dec ! fakesink sync=false";
}

class RelayElements : public ::testing::Test {
 protected:
  RelayElements() : relay_({Program("framelock-relay"), "--listen", "127.0.0.1:0"}) {
    const std::size_t at = relay_.first_line().find("http://");
    EXPECT_NE(at, std::string::npos) << relay_.first_line();
    if (at == std::string::npos) return;
    const std::string authority = relay_.first_line().substr(at + 7);
    trickle_ = "http://" + authority + (authority.ends_with('/') ? "live" : "/live");
    door_ = "ws://" + authority + (authority.ends_with('/') ? "ws/live" : "/ws/live");
  }

  static std::string Program(const char* name) {
    const char* folder = std::getenv("FRAMELOCK_BIN");
    return std::string(folder == nullptr ? FRAMELOCK_BIN_DEFAULT : folder) + "/" + name;
  }

  // From the first frame on: none missing, none doubled, each with its time.
  static void ExpectSteady(const std::vector<GstClockTime>& pts) {
    for (std::size_t i = 1; i < pts.size(); ++i) {
      const GstClockTime expected = i * GST_SECOND / 30;
      const GstClockTime got = pts[i] - pts[0];
      ASSERT_LE(std::max(got, expected) - std::min(got, expected), kTick) << "frame " << i;
    }
  }

  // A reader that waits for the channel, then a whole broadcast.
  void ExpectEveryFrame(const std::string& sink, const std::string& source) {
    TestPipeline reader(Reader(source));
    auto& frames = reader.TapPad("dec", "src");
    reader.SetState(GST_STATE_PLAYING);
    TestPipeline camera(Camera(sink));
    EXPECT_TRUE(camera.Run().eos);
    const BusVerdict verdict = reader.Wait();
    EXPECT_TRUE(verdict.eos) << verdict.error;
    EXPECT_EQ(frames.pts.size(), static_cast<std::size_t>(kFrames));
    ExpectSteady(frames.pts);
  }

  Child relay_;
  std::string trickle_;  // the channel's address
  std::string door_;     // the same by WebSocket
};

TEST_F(RelayElements, EveryFrameByTrickle) {
  ExpectEveryFrame("tricklesink location=" + trickle_, "tricklesrc location=" + trickle_);
}

TEST_F(RelayElements, EveryFrameInThroughTheWebSocketDoor) {
  ExpectEveryFrame("websocketsink location=" + door_ + "?publish=1",
                   "tricklesrc location=" + trickle_);
}

TEST_F(RelayElements, EveryFrameOutThroughTheWebSocketDoor) {
  ExpectEveryFrame("tricklesink location=" + trickle_,
                   "websocketsrc retry-max=200 location=" + door_);
}

TEST_F(RelayElements, WhoJoinsLateStartsWithAKeyframe) {
  TestPipeline camera(Camera("tricklesink name=sink location=" + trickle_));
  camera.SetState(GST_STATE_PLAYING);
  while (camera.Stat("sink", "segment-seq") < 2) std::this_thread::sleep_for(1ms);
  std::this_thread::sleep_for(100ms);  // now the third segment is being written
  TestPipeline current(Reader("tricklesrc start=current location=" + trickle_));
  TestPipeline next(Reader("tricklesrc start=next location=" + trickle_));
  TestPipeline door(Reader("websocketsrc location=" + door_));
  auto& current_frames = current.TapPad("dec", "src");
  auto& next_frames = next.TapPad("dec", "src");
  auto& door_frames = door.TapPad("dec", "src");
  for (TestPipeline* reader : {&current, &next, &door}) reader->SetState(GST_STATE_PLAYING);
  EXPECT_TRUE(camera.Wait().eos);
  for (TestPipeline* reader : {&current, &next, &door}) EXPECT_TRUE(reader->Wait().eos);
  for (auto* frames : {&current_frames, &next_frames, &door_frames}) {
    EXPECT_GE(frames->pts.size(), static_cast<std::size_t>(kKeyframeEvery));
    EXPECT_EQ(frames->pts.size() % kKeyframeEvery, 0u) << "whole segments to the end";
    ExpectSteady(frames->pts);
  }
  EXPECT_GE(current_frames.pts.size(), next_frames.pts.size() + kKeyframeEvery);
}

}  // namespace
}  // namespace framelock::testing
