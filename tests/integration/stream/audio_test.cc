// SPDX-License-Identifier: Apache-2.0
// Audio goes beside the graph and comes out with the offset to its video that it came in with.
#include <gtest/gtest.h>
#include <poll.h>

#include <algorithm>
#include <cstdlib>
#include <future>
#include <iterator>
#include <limits>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "pipeline/core/ts_packet.h"
#include "pipeline/stream/stream_pipeline.h"
#include "tests/integration/stream/fake_elements.h"
#include "tests/integration/stream/sample_video.h"
#include "tests/integration/stream/ts_splice.h"
#include "tests/integration/stream/ts_tracks.h"

namespace framelock::stream {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint8_t kH264 = 0x1b;
constexpr std::uint8_t kAac = 0x0f;
constexpr std::uint8_t kMpeg1 = 0x03;
constexpr std::uint8_t kAc3 = 0x81;
constexpr std::uint8_t kPrivate = 0x06;  // Opus

// Noise, so that no two units are the same.
std::string Noise(const std::string& encoder, int buffers, const std::string& more = {},
                  const std::string& pad = "mux.") {
  return "audiotestsrc wave=white-noise samplesperbuffer=1024 num-buffers=" +
         std::to_string(buffers) + " " + more + " ! audio/x-raw,rate=48000,channels=2 ! " +
         encoder + " ! " + pad;
}

constexpr char kAacEncoder[] = "audioconvert ! avenc_aac bitrate=96000";
constexpr int kTwoSeconds = 94;  // buffers

// A difference of stamps of 33 bits.
std::int64_t Wrapped(std::int64_t ticks) {
  constexpr std::int64_t kModulus = std::int64_t{1} << 33;
  const std::int64_t rest = ((ticks % kModulus) + kModulus) % kModulus;
  return rest >= kModulus / 2 ? rest - kModulus : rest;
}

// A part of the input, by its stamps.
struct Stretch {
  std::int64_t from = std::numeric_limits<std::int64_t>::min();
  std::int64_t to = std::numeric_limits<std::int64_t>::max();
  [[nodiscard]] bool Has(std::int64_t pts) const { return pts >= from && pts < to; }
};

class StreamAudioTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    gst_init(nullptr, nullptr);
    fake::Register();
  }

  StreamAudioTest() {
    options_.config.id = "test";
    options_.config.subscribe_url = "http://test/in";
    options_.config.publish_url = "http://test/out";
    options_.config.width = 320;
    options_.config.height = 240;
    options_.config.gop_seconds = 1;
  }

  // Plays to the end.
  void Run(const Bytes& input) {
    in_ = ReadProgramme(input);
    Play(fake::Cut(input, 1316));
  }

  void Play(std::vector<fake::Piece> pieces) {
    fake::Play(std::move(pieces), fake::AtEnd::kEndOfStream);
    fake::Lose(first_lost_, last_lost_);
    auto created = StreamPipeline::Create(options_);
    ASSERT_TRUE(created.ok()) << created.error().message;
    ASSERT_TRUE((*created)->Start().ok());
    const auto event = NextEvent(**created);
    ASSERT_TRUE(event && std::holds_alternative<StreamPipeline::Ended>(*event));
    status_ = (*created)->Look(std::chrono::steady_clock::now());
    created->reset();
    out_ = ReadProgramme(fake::Published());
    frames_ = Decode(fake::Published());
  }

  static std::optional<StreamPipeline::Event> NextEvent(StreamPipeline& stream) {
    const auto deadline = std::chrono::steady_clock::now() + seconds(20);
    while (std::chrono::steady_clock::now() < deadline) {
      if (auto event = stream.NextEvent()) return event;
      pollfd entry{stream.bus_fd(), POLLIN, 0};
      ::poll(&entry, 1, 50);
    }
    return std::nullopt;
  }

  // Output minus input, of every unit of one kind that came through unchanged.
  std::set<std::int64_t> AudioOffsets(std::uint8_t type, Stretch stretch = {}) const {
    std::set<std::int64_t> offsets;
    const TsTrack* out = out_.Find(type);
    if (out == nullptr) return offsets;
    for (const TsTrack::Unit& unit : out->units) {
      const auto& units = in_.Find(type)->units;
      const auto origin = std::find_if(units.begin(), units.end(), [&](const TsTrack::Unit& other) {
        return other.bytes == unit.bytes;
      });
      EXPECT_NE(origin, units.end()) << "an audio unit that never came in";
      if (origin == units.end() || !stretch.Has(origin->pts)) continue;
      offsets.insert(Wrapped(unit.pts - origin->pts));
    }
    return offsets;
  }

  // The same by the numbers in the pictures, of which there are 30 a second.
  std::set<std::int64_t> VideoOffsets(Stretch stretch = {}) const {
    std::set<std::int64_t> offsets;
    for (const SeenFrame& frame : frames_) {
      EXPECT_TRUE(frame.read.has_value());
      if (!frame.read) continue;
      const std::int64_t origin =
          in_.Find(kH264)->units.front().pts + std::int64_t{frame.read->stamp.number} * 3000;
      if (stretch.Has(origin)) offsets.insert(Wrapped(frame.pts_ticks - origin));
    }
    return offsets;
  }

  void ExpectInSync(std::uint8_t type) const {
    const auto audio = AudioOffsets(type);
    const auto video = VideoOffsets();
    ASSERT_FALSE(audio.empty());
    ASSERT_FALSE(video.empty());
    EXPECT_LE(std::max(*audio.rbegin(), *video.rbegin()) - std::min(*audio.begin(), *video.begin()),
              1);
    EXPECT_EQ(out_.Find(type)->holes, 0);
    EXPECT_EQ(out_.Find(kH264)->holes, 0);
  }

  StreamPipeline::Options options_;
  int first_lost_ = -1, last_lost_ = -1;
  TsProgramme in_, out_;
  std::vector<SeenFrame> frames_;
  StreamStatus status_;
};

struct Codec {
  const char* name;
  const char* encoder;
  std::uint8_t stream_type;
};

class StreamAudioCodecTest : public StreamAudioTest, public testing::WithParamInterface<Codec> {};

TEST_P(StreamAudioCodecTest, PassesUnchangedAndInSync) {
  Run(MakeSample({.beside = Noise(GetParam().encoder, kTwoSeconds)}));
  EXPECT_EQ(frames_.size(), 60U);
  ExpectInSync(GetParam().stream_type);
  // All that belongs to a picture, that is, not before the first and not after the last.
  EXPECT_GE(out_.Find(GetParam().stream_type)->units.size() + 4,
            in_.Find(GetParam().stream_type)->units.size());
  // Announced from the first map on.
  EXPECT_EQ(out_.maps.size(), 1U);
  EXPECT_EQ(out_.tracks.size(), 2U);
}

INSTANTIATE_TEST_SUITE_P(Codecs, StreamAudioCodecTest,
                         testing::Values(Codec{"Aac", kAacEncoder, kAac},
                                         Codec{"Opus", "audioconvert ! opusenc", kPrivate},
                                         Codec{"Mp2", "audioconvert ! avenc_mp2 ! mpegaudioparse",
                                               kMpeg1},
                                         Codec{"Ac3", "audioconvert ! avenc_ac3 ! ac3parse", kAc3}),
                         [](const auto& codec) { return codec.param.name; });

TEST_F(StreamAudioTest, WithoutAudioInThereIsNoneOut) {
  Run(MakeSample({.frames = 30}));
  EXPECT_EQ(frames_.size(), 30U);
  EXPECT_EQ(out_.tracks.size(), 1U);
  EXPECT_EQ(status_.output["audio_passed"], 0);
}

TEST_F(StreamAudioTest, IsLeftOutOnRequest) {
  options_.config.audio = "none";
  Run(MakeSample({.frames = 30, .beside = Noise(kAacEncoder, 47)}));
  EXPECT_EQ(frames_.size(), 30U);
  EXPECT_EQ(out_.tracks.size(), 1U);
}

TEST_F(StreamAudioTest, KeepsItsOffsetOverPicturesThatTheWorkerSkipped) {
  first_lost_ = 20;
  last_lost_ = 44;
  Run(MakeSample({.beside = Noise(kAacEncoder, kTwoSeconds)}));
  EXPECT_EQ(frames_.size(), 35U);
  ExpectInSync(kAac);
  EXPECT_GE(out_.Find(kAac)->units.size() + 4, in_.Find(kAac)->units.size());
}

TEST_F(StreamAudioTest, GoesOutWithItsPicture) {
  Run(MakeSample({.beside = Noise(kAacEncoder, kTwoSeconds)}));
  // No unit lies further in the stream than the first picture that is not older.
  const auto& pictures = out_.Find(kH264)->units;
  for (const TsTrack::Unit& unit : out_.Find(kAac)->units) {
    const auto next = std::find_if(pictures.begin(), pictures.end(), [&](const auto& picture) {
      return picture.pts >= unit.pts + 2 * 3000;
    });
    if (next != pictures.end()) {
      EXPECT_LT(unit.packet, next->packet) << unit.pts;
    }
    const auto last = std::find_if(pictures.rbegin(), pictures.rend(), [&](const auto& picture) {
      return picture.pts < unit.pts - 3000;
    });
    if (last != pictures.rend()) {
      EXPECT_GT(unit.packet, last->packet) << unit.pts;
    }
  }
}

TEST_F(StreamAudioTest, ThatEndsDoesNotStopTheVideo) {
  Run(MakeSample({.frames = 90, .beside = Noise(kAacEncoder, 47)}));
  EXPECT_EQ(frames_.size(), 90U);
  ExpectInSync(kAac);
}

TEST_F(StreamAudioTest, ThatBeginsLaterDoesNotDelayTheVideo) {
  Run(MakeSample({.frames = 120, .beside = Noise(kAacEncoder, 47, "timestamp-offset=3000000000")}));
  EXPECT_EQ(frames_.size(), 120U);
  ExpectInSync(kAac);
}

TEST_F(StreamAudioTest, ThatAppearsInTheProgrammeLater) {
  Run(Splice(
      MakeSample({.frames = 90}),
      MakeSample({.frames = 60,
                  .first_number = 90,
                  .beside = Noise(kAacEncoder, kTwoSeconds, "timestamp-offset=3000000000")})));
  EXPECT_EQ(frames_.size(), 150U);
  ExpectInSync(kAac);
  EXPECT_EQ(out_.maps.size(), 2U);
}

TEST_F(StreamAudioTest, ThatLeavesTheProgramme) {
  Run(Splice(MakeSample({.frames = 60, .beside = Noise(kAacEncoder, kTwoSeconds)}),
             MakeSample({.frames = 60, .first_number = 60})));
  EXPECT_EQ(frames_.size(), 120U);
  ExpectInSync(kAac);
  EXPECT_EQ(out_.maps.size(), 1U);
}

TEST_F(StreamAudioTest, ThatComesBackFindsItsPlace) {
  Run(Splice(
      Splice(MakeSample({.frames = 60, .beside = Noise(kAacEncoder, kTwoSeconds)}),
             MakeSample({.frames = 30, .first_number = 60})),
      MakeSample({.frames = 60,
                  .first_number = 90,
                  .beside = Noise(kAacEncoder, kTwoSeconds, "timestamp-offset=3000000000")})));
  EXPECT_EQ(frames_.size(), 150U);
  ExpectInSync(kAac);
  EXPECT_EQ(out_.tracks.size(), 2U);
  EXPECT_GE(out_.Find(kAac)->units.size() + 8, in_.Find(kAac)->units.size());
}

TEST_F(StreamAudioTest, ThatChangesItsCodec) {
  Run(Splice(MakeSample({.frames = 60, .beside = Noise(kAacEncoder, kTwoSeconds)}),
             MakeSample({.frames = 60,
                         .first_number = 60,
                         .beside = Noise("audioconvert ! opusenc", kTwoSeconds,
                                         "timestamp-offset=2000000000", "mux.sink_90")})));
  EXPECT_EQ(frames_.size(), 120U);
  ExpectInSync(kAac);
  ExpectInSync(kPrivate);
}

TEST_F(StreamAudioTest, KeepsItsOffsetWhereTheStampsWrap) {
  Bytes sample = MakeSample({.frames = 90, .beside = Noise(kAacEncoder, 3 * kTwoSeconds / 2)});
  const std::int64_t first = ReadProgramme(sample).Find(kH264)->units.front().pts;
  ShiftTimes(sample, (std::int64_t{1} << 33) - first - 90'000);
  Run(sample);
  EXPECT_EQ(frames_.size(), 90U);
  ExpectInSync(kAac);
}

TEST_F(StreamAudioTest, StaysWithItsVideoWhenTheProgrammeChanges) {
  Run(Splice(
      MakeSample({.frames = 60, .beside = Noise(kAacEncoder, kTwoSeconds, "", "mux.sink_70")}),
      MakeSample({.frames = 60,
                  .first_number = 60,
                  .pid = 90,
                  .beside = Noise(kAacEncoder, kTwoSeconds, "timestamp-offset=2000000000",
                                  "mux.sink_70")})));
  EXPECT_GE(frames_.size(), 118U);
  // The first programme's last sound ends a little behind its last picture.
  const std::int64_t change = in_.Find(kH264)->units.front().pts + 2 * 90'000;
  for (const Stretch stretch : {Stretch{.to = change}, Stretch{.from = change + 9'000}}) {
    const auto audio = AudioOffsets(kAac, stretch);
    const auto video = VideoOffsets(stretch);
    ASSERT_FALSE(audio.empty());
    ASSERT_FALSE(video.empty());
    EXPECT_LE(*audio.rbegin() - *video.begin(), 1800);  // 20 ms
    EXPECT_LE(*video.rbegin() - *audio.begin(), 1800);
  }
}

TEST_F(StreamAudioTest, GoesOnWithItsVideoWhenTheClockBeginsAnew) {
  std::vector<fake::Piece> pieces =
      fake::Cut(MakeSample({.beside = Noise(kAacEncoder, kTwoSeconds, "", "mux.sink_70")}), 1316);
  std::vector<fake::Piece> second =
      fake::Cut(MakeSample({.first_number = 60,
                            .pid = 90,
                            .beside = Noise(kAacEncoder, kTwoSeconds, "", "mux.sink_70")}),
                1316);
  second.front().discontinuity = true;
  std::move(second.begin(), second.end(), std::back_inserter(pieces));
  Play(std::move(pieces));
  EXPECT_GE(frames_.size(), 118U);
  EXPECT_GE(out_.Find(kAac)->units.size(), 2U * 80U);
}

TEST_F(StreamAudioTest, AllOfItIsCounted) {
  Run(MakeSample({.frames = 30, .beside = Noise(kAacEncoder, kTwoSeconds)}));
  const int passed = status_.output["audio_passed"], dropped = status_.output["audio_dropped"];
  EXPECT_EQ(passed, static_cast<int>(out_.Find(kAac)->units.size()));
  // The parser's last unit may come when the output has ended already.
  EXPECT_GE(passed + dropped + 1, static_cast<int>(in_.Find(kAac)->units.size()));
  // What sounds while the last picture is shown goes out, too.
  const auto last_picture = out_.Find(kH264)->units.back().pts;
  const auto last_sound = out_.Find(kAac)->units.back().pts;
  EXPECT_GT(last_sound, last_picture);
  EXPECT_LE(last_sound, last_picture + 3000);
}

// Holds up the thread that asks the muxer for its third pad until the muxer has stopped, or for a
// second if the muxer does not.
struct PadTrap {
  int pads = 1;  // the video's was there before
  std::promise<void> entered;

  static gboolean OnPad(GSignalInvocationHint* /*hint*/, guint /*count*/, const GValue* values,
                        gpointer self) {
    auto* trap = static_cast<PadTrap*>(self);
    auto* element = GST_ELEMENT(g_value_get_object(values));
    GstElementFactory* factory = gst_element_get_factory(element);
    if (factory == nullptr || std::string(GST_OBJECT_NAME(factory)) != "mpegtsmux") return TRUE;
    if (++trap->pads < 3) return TRUE;
    trap->entered.set_value();
    const PadPtr out(gst_element_get_static_pad(element, "src"));
    for (int i = 0; i < 20; ++i) {
      std::this_thread::sleep_for(milliseconds(50));
      if (i > 2 && GST_PAD_IS_FLUSHING(out.get())) break;
    }
    return FALSE;
  }
};

TEST_F(StreamAudioTest, StopsWhileAudioGoesIntoTheMuxer) {
  // Another codec, many units of which are due before one picture.
  fake::Play(
      fake::Cut(
          Splice(MakeSample({.frames = 30, .beside = Noise(kAacEncoder, kTwoSeconds / 2)}),
                 MakeSample({.frames = 60,
                             .first_number = 30,
                             .beside = Noise("audioconvert ! opusenc frame-size=2.5", kTwoSeconds,
                                             "timestamp-offset=980000000", "mux.sink_90")})),
          1316),
      fake::AtEnd::kSilence);
  auto created = StreamPipeline::Create(options_);
  ASSERT_TRUE(created.ok()) << created.error().message;
  PadTrap trap;
  g_signal_add_emission_hook(g_signal_lookup("pad-added", GST_TYPE_ELEMENT), 0, &PadTrap::OnPad,
                             &trap, nullptr);
  ASSERT_TRUE((*created)->Start().ok());
  ASSERT_EQ(trap.entered.get_future().wait_for(seconds(20)), std::future_status::ready);
  auto stopped = std::async(std::launch::async, [&] { (*created)->Stop(); });
  if (stopped.wait_for(seconds(10)) == std::future_status::ready) return;
  ADD_FAILURE() << "it hangs";
  std::_Exit(1);  // it cannot be ended
}

TEST_F(StreamAudioTest, DoesNotPileUpWithoutVideo) {
  options_.config.audio_buffer_ms = 500;
  Run(MakeSample({.frames = 30, .beside = Noise(kAacEncoder, 4 * 47)}));
  EXPECT_EQ(frames_.size(), 30U);
  ExpectInSync(kAac);
  EXPECT_GT(status_.output["audio_dropped"], 100);
}

TEST_F(StreamAudioTest, OfSeveralTracksTheFirst) {
  Run(MakeSample({.beside = Noise("avenc_aac", kTwoSeconds, "name=a") +
                            " audiotestsrc num-buffers=94 ! audioconvert ! avenc_mp2 ! "
                            "mpegaudioparse ! mux."}));
  EXPECT_EQ(frames_.size(), 60U);
  EXPECT_EQ(out_.tracks.size(), 2U);
  ExpectInSync(kAac);
}

TEST_F(StreamAudioTest, ThatIsDamagedDoesNotHurtTheVideo) {
  Bytes sample = MakeSample({.frames = 60, .beside = Noise(kAacEncoder, kTwoSeconds)});
  const TsProgramme programme = ReadProgramme(sample);
  std::mt19937 random(7);
  for (std::size_t at = 0; at + kTsPacketBytes <= sample.size(); at += kTsPacketBytes) {
    TsPacket packet;
    std::copy_n(sample.begin() + static_cast<std::ptrdiff_t>(at), packet.size(), packet.begin());
    const TsHeader header(packet);
    if (!programme.tracks.contains({header.pid(), kAac})) continue;
    for (std::size_t i = header.payload_offset() + 20; i < kTsPacketBytes; ++i) {
      sample[at + i] = static_cast<std::uint8_t>(random());
    }
  }
  Run(sample);
  EXPECT_EQ(frames_.size(), 60U);
  EXPECT_EQ(VideoOffsets().size(), 1U);
}

}  // namespace
}  // namespace framelock::stream
