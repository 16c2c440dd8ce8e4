// SPDX-License-Identifier: Apache-2.0
// Whatever the clock of the input does, each picture comes out under its own time, and the times
// that come out go on without a jump.
#include <gst/gst.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <numeric>
#include <random>

#include "tests/integration/stream/pipeline_run.h"
#include "tests/support/ts_edit.h"

namespace framelock::stream {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using test::Restamp;
using test::Splice;
using test::StripPts;

constexpr TsTicks kFrame{3000};
constexpr char kBFrames[] =
    "x264enc bframes=3 b-adapt=false key-int-max=30 ! h264parse config-interval=-1";

class InputClockTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    gst_init(nullptr, nullptr);
    fake::Register();
  }

  // Where the sample's first video time lies.
  static TsStamp Start(const Bytes& sample) {
    std::optional<TsStamp> first;
    test::EditPackets(sample, [&](TsPacket& packet, int) {
      const auto stamps = ReadPesStamps(packet);
      if (stamps && !first) first = stamps->decode_time();
    });
    return *first;
  }

  // Each frame is readable, inverted and at `place(number)` ticks, but for one constant and a tick.
  static void ExpectPlaces(const PipelineRun& run,
                           const std::function<std::int64_t(std::uint32_t)>& place) {
    EXPECT_EQ(run.failure, "");
    std::optional<std::int64_t> low, high, last;
    std::optional<std::uint32_t> last_number;
    for (const SeenFrame& frame : run.frames) {
      ASSERT_TRUE(frame.read.has_value());
      EXPECT_TRUE(frame.read->inverted);
      const std::uint32_t number = frame.read->stamp.number;
      EXPECT_TRUE(!last_number || number > *last_number) << number;
      EXPECT_TRUE(!last || frame.pts_ticks > *last) << number;
      last_number = number;
      last = frame.pts_ticks;
      const std::int64_t offset = frame.pts_ticks - place(number);
      low = std::min(low.value_or(offset), offset);
      high = std::max(high.value_or(offset), offset);
      EXPECT_LE(*high - *low, 1) << number;
    }
    EXPECT_TRUE(last);
  }
  static void ExpectEven(const PipelineRun& run) {
    ExpectPlaces(run, [](std::uint32_t number) { return std::int64_t{number} * kFrame.count(); });
  }
};

TEST_F(InputClockTest, AWrapIsNotSeen) {
  for (const std::string& encoder : {SampleVideo{}.encoder, std::string(kBFrames)}) {
    const Bytes sample = MakeSample({.frames = 300, .encoder = encoder});
    const TsTicks shift = TsStamp(TsTicks(TsStamp::kRange) - seconds(5)) - Start(sample);
    const auto run = PipelineRun::Of(Restamp(sample, [&](int) { return shift; }));
    EXPECT_EQ(run.frames.size(), 300u);
    ExpectEven(run);
    EXPECT_EQ(run.input("epochs"), 1u);
  }
}

TEST_F(InputClockTest, AJumpIsNotSeen) {
  const Bytes plain = MakeSample({.frames = 90});
  const Bytes reordered = MakeSample({.frames = 90, .encoder = kBFrames});
  for (const Bytes& sample : {plain, reordered}) {
    for (const TsTicks jump : {TsTicks(hours(1)), TsTicks(-hours(1)), TsTicks(milliseconds(300)),
                               TsTicks(-milliseconds(300))}) {
      for (const int at : {40, 60}) {  // within a group of pictures and at its beginning
        const auto run = PipelineRun::Of(
            Restamp(sample, [&](int unit) { return unit < at ? TsTicks(0) : jump; }));
        EXPECT_EQ(run.frames.size(), 90u) << jump.count();
        ExpectEven(run);
        EXPECT_EQ(run.input("epochs"), 2u) << jump.count();
      }
    }
  }
}

TEST_F(InputClockTest, ManyJumpsAreNotSeen) {
  const auto run = PipelineRun::Of(
      Restamp(MakeSample({.frames = 300}), [&](int unit) { return hours(unit / 10 * 5); }));
  EXPECT_EQ(run.frames.size(), 300u);
  ExpectEven(run);
  EXPECT_EQ(run.input("epochs"), 30u);
}

TEST_F(InputClockTest, AVariableFrameRateIsKept) {
  std::mt19937 random(5);
  std::vector<TsTicks> shifts = {TsTicks(0)};
  while (shifts.size() < 150) {
    // Frames 3 to 240 ms apart.
    shifts.push_back(shifts.back() + TsTicks(std::uniform_int_distribution(-2700, 18'600)(random)));
  }
  const auto run = PipelineRun::Of(Restamp(MakeSample({.frames = 150}), [&](int unit) {
    return shifts[static_cast<std::size_t>(unit)];
  }));
  EXPECT_EQ(run.frames.size(), 150u);
  ExpectPlaces(run,
               [&](std::uint32_t number) { return (number * kFrame + shifts[number]).count(); });
  EXPECT_EQ(run.input("epochs"), 1u);
}

TEST_F(InputClockTest, APauseOfSecondsKeepsItsLength) {
  const Bytes sample = MakeSample({.frames = 60});
  const auto pause = [](int unit) { return unit < 30 ? TsTicks(0) : TsTicks(seconds(2)); };
  std::vector<fake::Piece> pieces = fake::Cut(Restamp(sample, pause), 188);
  // The second half is read two seconds after the first.
  std::size_t at = 0;
  int unit = -1;
  test::EditPackets(sample, [&](TsPacket&, int now) {
    if (unit < 30) ++at;
    unit = now;
  });
  pieces[at - 1].after = seconds(2);
  const auto run = PipelineRun::Of(std::move(pieces), PipelineRun::Options());
  EXPECT_EQ(run.frames.size(), 60u);
  ExpectPlaces(run, [&](std::uint32_t number) {
    return (number * kFrame + pause(static_cast<int>(number))).count();
  });
  EXPECT_EQ(run.input("epochs"), 1u);
}

TEST_F(InputClockTest, AMissingPtsIsInferredWhereItIsCertain) {
  const auto run = PipelineRun::Of(
      StripPts(MakeSample({.frames = 120}), [](int unit) { return unit > 20 && unit % 7 == 0; }));
  EXPECT_EQ(run.frames.size(), 120u);
  ExpectEven(run);
  EXPECT_EQ(run.input("inferred_pts"), 15u);
  EXPECT_EQ(run.input("undated"), 0u);
}

TEST_F(InputClockTest, APictureWithoutACertainTimeIsDroppedAndCounted) {
  const auto bare = [](int unit) { return unit > 20 && unit % 7 == 0; };
  const Bytes reordered = MakeSample({.frames = 120, .encoder = kBFrames});
  auto run = PipelineRun::Of(StripPts(reordered, bare));
  EXPECT_EQ(run.frames.size(), 105u);
  ExpectEven(run);
  EXPECT_EQ(run.input("undated"), 15u);
  EXPECT_EQ(run.input("inferred_pts"), 0u);

  // The same in a stream whose pictures come at any time.
  const auto uneven = [](int unit) { return TsTicks(unit * unit * 37 % 2900); };
  run = PipelineRun::Of(StripPts(Restamp(MakeSample({.frames = 120}), uneven), bare));
  EXPECT_EQ(run.frames.size(), 105u);
  ExpectPlaces(run, [&](std::uint32_t number) {
    return (number * kFrame + uneven(static_cast<int>(number))).count();
  });
  EXPECT_EQ(run.input("undated"), 15u);
}

TEST_F(InputClockTest, TheFrameRateMayChange) {
  // Each part is one second long.
  std::vector<Bytes> parts;
  std::map<std::uint32_t, std::int64_t> places;
  std::uint32_t number = 0;
  int second = 0;
  for (const int fps : {30, 60, 15, 25, 5, 50, 30}) {
    const Bytes part = MakeSample({.fps = fps, .frames = fps, .first_number = number});
    // MakeSample counts its times from the number.
    const TsTicks shift = TsTicks(seconds(second)) - TsTicks(number * 90'000LL / fps);
    parts.push_back(Restamp(part, [&](int) { return shift; }));
    for (int k = 0; k < fps; ++k) places[number++] = second * 90'000LL + k * 90'000LL / fps;
    ++second;
  }
  const auto run = PipelineRun::Of(Splice(parts));
  EXPECT_EQ(run.frames.size(), places.size());
  ExpectPlaces(run, [&](std::uint32_t frame) { return places.at(frame); });
  EXPECT_EQ(run.input("epochs"), 1u);
}

TEST_F(InputClockTest, FortyEightHoursWithoutAnError) {
  // One picture every ten seconds, each a keyframe.
  constexpr int kPictures = 48 * 3600 / 10;
  const Bytes first = MakeSample({.width = 64, .height = 64, .fps = 1, .frames = 1});
  // So that it wraps twice, and the second time between a picture's clock and its pts.
  const TsTicks crosses = seconds(12'300 * 10 - 18);
  const TsTicks start = TsStamp(TsTicks(5000) - crosses) - Start(first);
  std::vector<Bytes> parts;
  for (int i = 0; i < kPictures; ++i) {
    // The rhythm is known after some steps that are short enough to be none of a jump.
    const TsTicks at = i < 4 ? TsTicks(seconds(i * 4)) : TsTicks(seconds(i * 10 - 18));
    parts.push_back(Restamp(first, [&](int) { return start + at; }));
  }
  const auto run =
      PipelineRun::Undecoded(fake::Cut(Splice(parts), 1316), PipelineRun::Untimed(64, 64));
  EXPECT_EQ(run.failure, "");
  std::vector<TsStamp> published;
  test::EditPackets(fake::Published(), [&](TsPacket& packet, int) {
    if (const auto stamps = ReadPesStamps(packet)) published.push_back(stamps->pts);
  });
  ASSERT_EQ(published.size(), static_cast<std::size_t>(kPictures));
  int wrong = 0;
  for (std::size_t i = 6; i < published.size(); ++i) {
    const TsTicks step = published[i] - published[i - 1];
    if (std::chrono::abs(step - TsTicks(seconds(10))) > TsTicks(1)) ++wrong;
  }
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(run.input("epochs"), 1u);
  EXPECT_EQ(run.status.decode_errors, 0u);
}

}  // namespace
}  // namespace framelock::stream
