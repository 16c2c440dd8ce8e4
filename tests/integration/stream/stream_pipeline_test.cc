// SPDX-License-Identifier: Apache-2.0
// The pipeline between a scripted input and a collecting output, with a filter that inverts.
#include "pipeline/stream/stream_pipeline.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <set>
#include <thread>

#include "pipeline/core/packet_socket.h"
#include "pipeline/core/ts_packet.h"
#include "pipeline/core/ts_stamps.h"
#include "pipeline/stream/elements.h"
#include "tests/integration/stream/fake_elements.h"
#include "tests/integration/stream/sample_video.h"

namespace framelock::stream {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class StreamPipelineTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    gst_init(nullptr, nullptr);
    fake::Register();
  }

  StreamPipeline::Options Options() const {
    StreamPipeline::Options options;
    options.config.id = "test";
    options.config.subscribe_url = "http://test/in";
    options.config.publish_url = "http://test/out";
    options.config.width = 320;
    options.config.height = 240;
    options.config.gop_seconds = 1;
    return options;
  }

  void Open(const StreamPipeline::Options& options) {
    auto created = StreamPipeline::Create(options);
    ASSERT_TRUE(created.ok()) << created.error().message;
    stream = std::move(*created);
    ASSERT_TRUE(stream->Start().ok());
  }

  std::optional<StreamPipeline::Event> NextEvent(milliseconds patience = seconds(20)) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (std::chrono::steady_clock::now() < deadline) {
      if (auto event = stream->NextEvent()) return event;
      pollfd entry{stream->bus_fd(), POLLIN, 0};
      ::poll(&entry, 1, 50);
    }
    return std::nullopt;
  }

  // Plays to the end; the output's frames.
  std::vector<SeenFrame> Run(std::vector<fake::Piece> pieces,
                             const StreamPipeline::Options& options) {
    fake::Play(std::move(pieces), fake::AtEnd::kEndOfStream);
    Open(options);
    const auto event = NextEvent();
    EXPECT_TRUE(event && std::holds_alternative<StreamPipeline::Ended>(*event)) << Failure(event);
    last = stream->Look(std::chrono::steady_clock::now());
    stream.reset();
    return Decode(fake::Published());
  }

  static std::string Failure(const std::optional<StreamPipeline::Event>& event) {
    if (!event) return "nothing happened";
    const auto* failed = std::get_if<StreamPipeline::Failed>(&*event);
    return failed == nullptr ? "" : failed->message;
  }

  std::string RunToFailure(std::vector<fake::Piece> pieces, fake::AtEnd at_end) {
    fake::Play(std::move(pieces), at_end);
    StreamPipeline::Options options = Options();
    options.input.detect_time = milliseconds(700);
    Open(options);
    const std::string failure = Failure(NextEvent());
    last = stream->Look(std::chrono::steady_clock::now());
    EXPECT_EQ(last.state, StreamState::kError);
    stream.reset();
    return failure;
  }

  // Of an input that falls silent: how many are decoded, once they are `wanted` or after 10 s.
  int PicturesOf(std::vector<fake::Piece> pieces, int wanted) {
    fake::Play(std::move(pieces), fake::AtEnd::kSilence);
    Open(Options());
    const auto deadline = std::chrono::steady_clock::now() + seconds(10);
    do {
      std::this_thread::sleep_for(milliseconds(5));
      last = stream->Look(std::chrono::steady_clock::now());
    } while (last.input["pictures"] < wanted && std::chrono::steady_clock::now() < deadline);
    stream.reset();
    return last.input["pictures"];
  }

  // Every frame readable and inverted, numbers rising, pts - number * 3000 the same to one tick.
  static void ExpectMatched(const std::vector<SeenFrame>& frames, int fps = 30) {
    std::set<std::int64_t> offsets;
    std::optional<std::uint32_t> last_number;
    for (const SeenFrame& frame : frames) {
      ASSERT_TRUE(frame.read.has_value());
      EXPECT_TRUE(frame.read->inverted);
      const std::uint32_t number = frame.read->stamp.number;
      EXPECT_TRUE(!last_number || number > *last_number) << number;
      last_number = number;
      offsets.insert(frame.pts_ticks - std::int64_t{number} * 90'000 / fps);
    }
    ASSERT_FALSE(offsets.empty());
    EXPECT_LE(*offsets.rbegin() - *offsets.begin(), 1);
  }

  std::unique_ptr<StreamPipeline> stream;
  StreamStatus last;
};

TEST_F(StreamPipelineTest, EveryFrameComesOutUnderItsOwnTime) {
  const auto frames = Run(fake::Cut(MakeSample({}), 1316), Options());
  EXPECT_EQ(frames.size(), 60U);
  ExpectMatched(frames);
  EXPECT_EQ(last.input["pictures"], 60);
  EXPECT_EQ(last.decode_errors, 0U);
}

TEST_F(StreamPipelineTest, TracesWhereTheTimeGoes) {
  StreamPipeline::Options options = Options();
  options.config.trace_latency = true;
  EXPECT_EQ(Run(fake::Cut(MakeSample({.frames = 20}), 1316), options).size(), 20U);
  ASSERT_FALSE(last.latency_trace.empty());
  double sum = 0;
  for (const char* hop : {"decode", "convert", "worker", "encode", "publish"}) {
    EXPECT_GE(last.latency_trace[hop]["p50_ms"], 0) << hop;
    sum += last.latency_trace[hop]["p50_ms"].get<double>();
  }
  EXPECT_GT(sum, 0);
  EXPECT_GE(last.latency_trace["total"]["p99_ms"], last.latency_trace["encode"]["p50_ms"]);
}

TEST_F(StreamPipelineTest, HowTheBytesAreCutDoesNotMatter) {
  const Bytes sample = MakeSample({.frames = 20});
  for (const std::size_t size : {std::size_t{100}, std::size_t{188}, std::size_t{65'536}}) {
    const auto frames = Run(fake::Cut(sample, size), Options());
    EXPECT_EQ(frames.size(), 20U) << size;
    ExpectMatched(frames);
  }
}

// What a muxer writes that never says how long a PES packet is.
Bytes WithoutPesLengths(Bytes stream) {
  for (std::size_t at = 0; at + kTsPacketBytes <= stream.size(); at += kTsPacketBytes) {
    const std::span<std::uint8_t> packet(stream.data() + at, kTsPacketBytes);
    const TsHeader header(std::span<const std::uint8_t>(packet).first<kTsPacketBytes>());
    if (!header.starts_unit() || header.payload().size() < 6) continue;
    const auto pes = packet.subspan(header.payload_offset());
    if (pes[0] == 0 && pes[1] == 0 && pes[2] == 1 && pes[3] == 0xE0) pes[4] = pes[5] = 0;
  }
  return stream;
}

// The video's packets: where each of its PES packets begins.
std::vector<std::size_t> Pictures(const std::vector<fake::Piece>& packets) {
  std::vector<std::size_t> pictures;
  for (std::size_t i = 0; i < packets.size(); ++i) {
    TsPacket packet;
    std::copy_n(packets[i].bytes.begin(), packet.size(), packet.begin());
    const auto stamps = ReadPesStamps(packet);
    if (stamps && stamps->is_video()) pictures.push_back(i);
  }
  return pictures;
}

TEST_F(StreamPipelineTest, NoPictureWaitsForTheNextOne) {
  const Bytes lengths = MakeSample({.frames = 20});
  const Bytes large = MakeSample(
      {.width = 1280,
       .height = 720,
       .frames = 12,
       .encoder = "x264enc tune=zerolatency speed-preset=ultrafast threads=1 "
                  "pass=quant quantizer=3 key-int-max=1 ! h264parse config-interval=-1"});
  ASSERT_GT(large.size(), 12U * 70'000);
  for (const auto& [sample, frames] :
       {std::pair{lengths, 20}, {WithoutPesLengths(lengths), 20}, {large, 12}}) {
    EXPECT_EQ(PicturesOf(fake::Cut(sample, 1316), frames), frames);
  }
}

// Where nothing is known of the muxer yet.
TEST_F(StreamPipelineTest, APictureIsWholeWhereTheNextOneBegins) {
  const std::vector<fake::Piece> packets =
      fake::Cut(WithoutPesLengths(MakeSample({.frames = 6})), 188);
  const std::vector<std::size_t> pictures = Pictures(packets);
  ASSERT_EQ(pictures.size(), 6U);
  for (std::size_t n = 1; n < pictures.size(); ++n) {
    const auto end = packets.begin() + static_cast<std::ptrdiff_t>(pictures[n]) + 1;
    EXPECT_EQ(PicturesOf({packets.begin(), end}, static_cast<int>(n)), static_cast<int>(n));
  }
}

TEST_F(StreamPipelineTest, FrameRatesThatAreNoWholeTicksMatchToo) {
  const auto frames = Run(fake::Cut(MakeSample({.fps = 29, .frames = 58}), 1316), Options());
  EXPECT_EQ(frames.size(), 58U);
  ExpectMatched(frames, 29);
}

TEST_F(StreamPipelineTest, BFramesMatch) {
  const auto frames =
      Run(fake::Cut(MakeSample({.encoder = "x264enc bframes=3 b-adapt=false key-int-max=30 ! "
                                           "h264parse config-interval=-1"}),
                    1316),
          Options());
  EXPECT_EQ(frames.size(), 60U);
  ExpectMatched(frames);
}

TEST_F(StreamPipelineTest, OtherCodecsAreDecodedToo) {
  const char* h265 =
      "x265enc tune=zerolatency speed-preset=ultrafast key-int-max=30 ! h265parse "
      "config-interval=-1";
  const auto frames = Run(fake::Cut(MakeSample({.frames = 30, .encoder = h265}), 1316), Options());
  EXPECT_EQ(frames.size(), 30U);
  ExpectMatched(frames);
}

TEST_F(StreamPipelineTest, AMissedSegmentIsAGapAndNoShift) {
  const Bytes sample = MakeSample({.frames = 150});
  std::vector<fake::Piece> pieces = fake::Cut(sample, 1316);
  const auto at = static_cast<std::ptrdiff_t>(pieces.size() / 3);
  pieces.erase(pieces.begin() + at, pieces.begin() + at + at);
  pieces[static_cast<std::size_t>(at)].discontinuity = true;
  const auto frames = Run(std::move(pieces), Options());
  EXPECT_GT(frames.size(), 70U);
  EXPECT_LT(frames.size(), 130U);
  ExpectMatched(frames);
}

TEST_F(StreamPipelineTest, LostPacketsCostFramesAndNeverTheirMatch) {
  std::vector<fake::Piece> pieces = fake::Cut(MakeSample({.frames = 300}), 188);
  for (std::size_t i = 200; i < pieces.size(); i += 1500) {
    pieces.erase(pieces.begin() + static_cast<std::ptrdiff_t>(i));
  }
  const auto frames = Run(std::move(pieces), Options());
  // All but those from each hole to the next keyframe.
  EXPECT_GT(frames.size(), 130U);
  EXPECT_LT(frames.size(), 300U);
  ExpectMatched(frames);
  const auto withheld = last.input["withheld"].get<std::uint64_t>();
  EXPECT_GT(last.decode_errors + withheld, 100U);
  EXPECT_LE(last.decode_errors + withheld + frames.size(), 300U);
}

TEST_F(StreamPipelineTest, WholePicturesThatAreLostCostThoseThatReferToThem) {
  std::vector<fake::Piece> packets = fake::Cut(MakeSample({.frames = 120}), 188);
  const std::vector<std::size_t> pictures = Pictures(packets);
  ASSERT_EQ(pictures.size(), 120U);
  const auto at = [&](std::size_t picture) {
    return packets.begin() + static_cast<std::ptrdiff_t>(pictures[picture]);
  };
  packets.erase(at(70), at(73));
  packets.erase(at(40), at(41));
  const auto frames = Run(std::move(packets), Options());
  ExpectMatched(frames);
  // To the next keyframe each; the last one before the loss was whole.
  EXPECT_EQ(frames.size(), 120U - 20U - 20U);
  EXPECT_EQ(last.input["withheld"], 19 + 17);
}

TEST_F(StreamPipelineTest, AMuxerForEachSegmentCostsNothing) {
  std::vector<fake::Piece> packets = fake::Cut(MakeSample({.frames = 150}), 188);
  const std::vector<std::size_t> pictures = Pictures(packets);
  ASSERT_EQ(pictures.size(), 150U);
  for (std::size_t segment = 1; segment < 5; ++segment) {
    const auto by = static_cast<std::uint8_t>(2 * segment + 1);
    for (std::size_t i = pictures[30 * segment]; i < packets.size(); ++i) {
      std::uint8_t& flags = packets[i].bytes[3];
      flags = static_cast<std::uint8_t>((flags & 0xF0) | ((flags + by) & 0x0F));
    }
  }
  const auto frames = Run(std::move(packets), Options());
  ExpectMatched(frames);
  EXPECT_EQ(frames.size(), 150U);
  EXPECT_EQ(last.input["withheld"], 0);
}

TEST_F(StreamPipelineTest, HolesThatTheSourceTellsOfCostNoMore) {
  std::vector<fake::Piece> pieces = fake::Cut(MakeSample({.frames = 300}), 188);
  for (std::size_t i = 200; i < pieces.size(); i += 1500) {
    pieces.erase(pieces.begin() + static_cast<std::ptrdiff_t>(i));
    pieces[i].discontinuity = true;
  }
  const auto frames = Run(std::move(pieces), Options());
  EXPECT_GT(frames.size(), 130U);
  ExpectMatched(frames);
  EXPECT_EQ(last.input["undated"], 0);
}

TEST_F(StreamPipelineTest, AChannelJoinedInTheMiddleStartsAtAKeyframe) {
  std::vector<fake::Piece> pieces = fake::Cut(MakeSample({.frames = 100}), 188);
  pieces.erase(pieces.begin(), pieces.begin() + static_cast<std::ptrdiff_t>(pieces.size() / 5));
  const auto frames = Run(std::move(pieces), Options());
  ASSERT_FALSE(frames.empty());
  ExpectMatched(frames);
  EXPECT_EQ(frames.front().read->stamp.number % 30, 0U);
}

TEST_F(StreamPipelineTest, DamagedBytesDoNotEndTheStream) {
  std::vector<fake::Piece> pieces = fake::Cut(MakeSample({.frames = 150}), 188);
  std::mt19937 random(3);
  for (std::size_t i = 40; i < pieces.size() * 2 / 3; i += 97) {
    for (std::uint8_t& byte : pieces[i].bytes) byte = static_cast<std::uint8_t>(random());
  }
  const auto frames = Run(std::move(pieces), Options());
  ASSERT_GT(frames.size(), 10U);
  std::int64_t pts = -1;
  for (const SeenFrame& frame : frames)
    EXPECT_GT(frame.pts_ticks, std::exchange(pts, frame.pts_ticks));
  ASSERT_TRUE(frames.back().read);
  EXPECT_EQ(frames.back().read->stamp.number, 149U);
}

TEST_F(StreamPipelineTest, MaxFramerateThins) {
  StreamPipeline::Options options = Options();
  options.config.max_framerate = 15;
  const auto frames = Run(fake::Cut(MakeSample({}), 1316), options);
  EXPECT_NEAR(static_cast<double>(frames.size()), 30, 1);
  ExpectMatched(frames);
  EXPECT_NEAR(last.input["rate_dropped"].get<double>(), 30, 1);
}

TEST_F(StreamPipelineTest, PicturesCoverTheTargetAndAreCropped) {
  StreamPipeline::Options options = Options();
  options.config.width = 256;
  options.config.height = 256;
  const auto frames =
      Run(fake::Cut(MakeSample({.width = 640, .height = 360, .frames = 5}), 1316), options);
  ASSERT_EQ(frames.size(), 5U);
  EXPECT_EQ(frames[0].width, 256);
  EXPECT_EQ(frames[0].height, 256);
}

TEST_F(StreamPipelineTest, OddSizesLoseTheirLastRowAndColumn) {
  StreamPipeline::Options options = Options();
  options.config.width = 321;
  options.config.height = 241;
  const auto frames = Run(fake::Cut(MakeSample({.frames = 10}), 1316), options);
  ASSERT_EQ(frames.size(), 10U);
  EXPECT_EQ(frames[0].width, 320);
  EXPECT_EQ(frames[0].height, 240);
  ExpectMatched(frames);
}

TEST_F(StreamPipelineTest, TheInputsSizeMayChange) {
  Bytes sample = MakeSample({.frames = 30});
  const Bytes more = MakeSample({.width = 640, .height = 480, .frames = 30, .first_number = 30});
  std::vector<fake::Piece> pieces = fake::Cut(sample, 1316);
  std::vector<fake::Piece> second = fake::Cut(more, 1316);
  second.front().discontinuity = true;
  pieces.insert(pieces.end(), second.begin(), second.end());
  const auto frames = Run(std::move(pieces), Options());
  EXPECT_GE(frames.size(), 58U);
  ExpectMatched(frames);
}

TEST_F(StreamPipelineTest, TheProgrammeMayChange) {
  std::vector<fake::Piece> pieces = fake::Cut(MakeSample({.frames = 30}), 1316);
  std::vector<fake::Piece> second =
      fake::Cut(MakeSample({.frames = 60, .first_number = 30, .pid = 90}), 1316);
  second.front().discontinuity = true;
  pieces.insert(pieces.end(), second.begin(), second.end());
  const auto frames = Run(std::move(pieces), Options());
  EXPECT_GE(frames.size(), 85U);
  // Another programme has a clock of its own: a new epoch.
  const auto change = std::find_if(frames.begin(), frames.end(), [](const SeenFrame& frame) {
    return frame.read && frame.read->stamp.number >= 30;
  });
  ExpectMatched({frames.begin(), change});
  ExpectMatched({change, frames.end()});
  EXPECT_EQ(frames.back().read->stamp.number, 89U);
}

TEST_F(StreamPipelineTest, AudioBesideTheVideoDoesNotMatter) {
  const auto frames =
      Run(fake::Cut(MakeSample({.beside = "audiotestsrc num-buffers=80 ! avenc_aac ! mux."}), 1316),
          Options());
  EXPECT_EQ(frames.size(), 60U);
  ExpectMatched(frames);
}

TEST_F(StreamPipelineTest, AnElementWhoseNameIsTakenIsAnError) {
  GstElement* bin = gst_bin_new("bin");
  EXPECT_TRUE(AddTo(GST_BIN(bin), gst_element_factory_make("identity", "twin")).ok());
  const Status second = AddTo(GST_BIN(bin), gst_element_factory_make("identity", "twin"));
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().message, "element twin: its name is taken");
  gst_object_unref(bin);
}

TEST_F(StreamPipelineTest, AudioAloneIsAClearError) {
  GstElement* pipeline = gst_parse_launch(
      "audiotestsrc num-buffers=80 ! avenc_aac ! mpegtsmux ! filesink name=file", nullptr);
  const std::string path = testing::TempDir() + "framelock-audio-" + std::to_string(::getpid());
  GstElement* file = gst_bin_get_by_name(GST_BIN(pipeline), "file");
  g_object_set(file, "location", path.c_str(), nullptr);
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  GstBus* bus = gst_element_get_bus(pipeline);
  gst_message_unref(gst_bus_timed_pop_filtered(bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS));
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(bus);
  gst_object_unref(file);
  gst_object_unref(pipeline);
  std::ifstream audio(path, std::ios::binary);
  const Bytes bytes((std::istreambuf_iterator<char>(audio)), std::istreambuf_iterator<char>());
  std::filesystem::remove(path);
  const std::string failure = RunToFailure(fake::Cut(bytes, 1316), fake::AtEnd::kSilence);
  EXPECT_EQ(failure.find("input is not MPEG-TS with a video stream"), 0U) << failure;
}

TEST_F(StreamPipelineTest, WithoutAnOutputTheInputIsStillProcessed) {
  StreamPipeline::Options options = Options();
  options.config.publish_url.reset();
  EXPECT_TRUE(Run(fake::Cut(MakeSample({.frames = 10}), 1316), options).empty());
  EXPECT_EQ(last.filter["inputs"], 10);
}

TEST_F(StreamPipelineTest, WithoutAnInputItIsNotCreated) {
  StreamPipeline::Options options = Options();
  options.config.subscribe_url.reset();
  const auto created = StreamPipeline::Create(options);
  ASSERT_FALSE(created.ok());
  EXPECT_EQ(created.error().message, "subscribe_url: is missing, there is no input");
}

struct BadInput {
  const char* name;
  Bytes bytes;
  fake::AtEnd at_end;
};

TEST_F(StreamPipelineTest, WhatIsNoVideoIsAClearError) {
  Bytes random(200'000);
  std::mt19937 generator(1);
  for (auto& byte : random) byte = static_cast<std::uint8_t>(generator());
  const std::string html = "<!doctype html><html><body>404 not found</body></html>";
  const Bytes page(html.begin(), html.end());
  Bytes empty_packets;
  for (int i = 0; i < 500; ++i) {
    Bytes packet(188, 0xFF);
    packet[0] = 0x47;
    packet[1] = 0x1F;
    packet[3] = 0x10;
    empty_packets.insert(empty_packets.end(), packet.begin(), packet.end());
  }
  for (const fake::AtEnd at_end : {fake::AtEnd::kEndOfStream, fake::AtEnd::kSilence}) {
    for (const BadInput& input :
         {BadInput{"random", random, at_end}, BadInput{"page", page, at_end},
          BadInput{"empty packets", empty_packets, at_end}}) {
      const std::string failure = RunToFailure(fake::Cut(input.bytes, 1316), at_end);
      EXPECT_EQ(failure.find("input is not MPEG-TS with a video stream"), 0U)
          << input.name << ": " << failure;
    }
  }
}

TEST_F(StreamPipelineTest, ATruncatedStreamIsAClearError) {
  Bytes sample = MakeSample({.frames = 2});
  sample.resize(188 * 5);
  const std::string failure = RunToFailure(fake::Cut(sample, 188), fake::AtEnd::kSilence);
  EXPECT_EQ(failure.find("input "), 0U) << failure;
}

TEST_F(StreamPipelineTest, BytesAloneDecideWhenTimeDoesNot) {
  fake::Play(fake::Cut(Bytes(3'000'000, 0x20), 4096), fake::AtEnd::kSilence);
  StreamPipeline::Options options = Options();
  options.input.detect_bytes = 1'000'000;
  Open(options);
  EXPECT_NE(Failure(NextEvent()).find("not MPEG-TS"), std::string::npos);
}

TEST_F(StreamPipelineTest, EndsOnRequestWhileTheInputIsSilent) {
  fake::Play(fake::Cut(MakeSample({.frames = 20}), 1316), fake::AtEnd::kSilence);
  Open(Options());
  const auto deadline = std::chrono::steady_clock::now() + seconds(10);
  while (stream->Look(std::chrono::steady_clock::now()).filter["inputs"] < 18 &&
         std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(milliseconds(5));
  }
  EXPECT_EQ(stream->Look(std::chrono::steady_clock::now()).state, StreamState::kRunning);
  const auto asked = std::chrono::steady_clock::now();
  stream->RequestEnd();
  const auto event = NextEvent(seconds(3));
  EXPECT_TRUE(event && std::holds_alternative<StreamPipeline::Ended>(*event)) << Failure(event);
  EXPECT_LT(std::chrono::steady_clock::now() - asked, seconds(1));
  stream.reset();
  const auto frames = Decode(fake::Published());
  EXPECT_GE(frames.size(), 18U);  // one that was under way at the end is not shown torn
  ExpectMatched(frames);
}

TEST_F(StreamPipelineTest, EndsOnRequestBeforeAnyInput) {
  fake::Play({}, fake::AtEnd::kSilence);
  Open(Options());
  EXPECT_EQ(stream->Look(std::chrono::steady_clock::now()).state, StreamState::kWaitingForInput);
  stream->RequestEnd();
  const auto event = NextEvent(seconds(3));
  EXPECT_TRUE(event && std::holds_alternative<StreamPipeline::Ended>(*event)) << Failure(event);
}

TEST_F(StreamPipelineTest, HandsSettingsWorkersAndPromptsToTheFilter) {
  fake::Play({}, fake::AtEnd::kSilence);
  StreamPipeline::Options options = Options();
  options.config.on_missing = "repeat";
  options.config.cadence = "every";
  options.config.latency_ms = 80;
  options.config.max_in_flight = 3;
  options.config.worker_heartbeat_timeout_ms = 801;
  options.config.worker_first_frame_timeout_ms = 802;
  options.config.worker_frame_timeout_ms = 803;
  options.config.worker_frame_timeout_factor = 4;
  options.config.worker_load_timeout_ms = 805;
  Open(options);
  auto pair = PacketSocket::CreatePair();
  stream->LendWorker(pair->first.release());
  EXPECT_EQ(fake::FilterSettings(),
            (std::vector<std::string>{
                "on-missing=\"repeat\"", "cadence=\"every\"", "release=\"even\"", "latency=80",
                "max-in-flight=3", "heartbeat-timeout=801", "first-frame-timeout=802",
                "frame-timeout=803", "frame-timeout-factor=4", "load-timeout=805",
                "prompt-timeout=20000", "lent=TRUE", "worker-fd=socket"}));
  const auto good = stream->SetPrompt({.prompt = "good", .size = PictureSize{640, 360}});
  EXPECT_EQ(fake::FilterSettings().back(), "update width=640");
  EXPECT_TRUE(good.applied);
  EXPECT_EQ(good.revision, 2U);
  const auto bad = stream->SetPrompt({.prompt = "bad"});
  EXPECT_FALSE(bad.applied);
  EXPECT_TRUE(bad.errors.contains("1"));
}

}  // namespace
}  // namespace framelock::stream
