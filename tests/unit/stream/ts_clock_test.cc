// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stream/ts_clock.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <random>

#include "tests/support/fake_clock.h"
#include "tests/support/ts_writer.h"

namespace framelock::stream {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using test::TsWriter;

constexpr TsTicks kFrame{3000};  // 30 frames a second
constexpr TsTicks kLead{11'250};
constexpr std::uint16_t kVideo = TsWriter::kVideoPid;
constexpr std::uint16_t kAudio = TsWriter::kAudioPid;

// A publisher in front of a TsClock and, behind it, a demuxer that unwraps what it sees.
class TsClockTest : public testing::Test {
 protected:
  struct Unit {
    TsTicks pts;
    std::optional<TsTicks> dts = {};
    std::uint16_t pid = kVideo;
    std::uint8_t stream_id = 0xE0;
    bool has_clock = true;
  };

  // What the unit's pts became, without wraps.
  TsTicks Send(const Unit& unit) {
    const TsTicks decoded = unit.dts.value_or(unit.pts);
    TsWriter::Times times{.pid = unit.pid, .stream_id = unit.stream_id};
    times.pts = TsStamp(unit.pts).ticks();
    if (unit.dts) times.dts = TsStamp(*unit.dts).ticks();
    if (unit.has_clock) times.pcr = TsStamp(decoded - kLead).ticks();
    const TsPacket packet = Rewrite(times);
    const auto stamps = ReadPesStamps(packet);
    last_decoded = Unwrap(stamps->decode_time(), last_decoded);
    if (unit.has_clock) {
      EXPECT_LE(clocks[unit.pid], last_decoded);
    }
    return Unwrap(stamps->pts, last_decoded);
  }
  TsTicks Video(TsTicks pts) { return Send({.pts = pts}); }
  TsTicks Audio(TsTicks pts) {
    return Send({.pts = pts, .pid = kAudio, .stream_id = 0xC0, .has_clock = false});
  }

  // So many frames from `from` on; the line that they are on.
  std::vector<TsTicks> Play(TsTicks from, int frames, TsTicks step = kFrame) {
    std::vector<TsTicks> line;
    for (int i = 0; i < frames; ++i) {
      line.push_back(Video(from + i * step));
      Pass(step);
    }
    return line;
  }

  TsPacket Rewrite(const TsWriter::Times& times) {
    TsPacket packet;
    const std::string text = writer.Timed(times);
    std::copy(text.begin(), text.end(), packet.begin());
    return Rewrite(packet);
  }
  TsPacket Rewrite(TsPacket packet) {
    std::vector<TsPacket> before;
    clock->Rewrite(packet, now.Now(), before);
    fillers += before.size();
    for (const TsPacket& filler : before) NoteClock(filler);
    NoteClock(packet);
    return packet;
  }

  // No step of a programme clock goes back or is too long for a demuxer.
  void NoteClock(const TsPacket& packet) {
    const auto stamp = ProgramClock(packet);
    if (!stamp) return;
    const std::uint16_t pid = TsHeader(packet).pid();
    const auto known = clocks.find(pid);
    if (known == clocks.end()) {
      clocks[pid] = Unwrap(*stamp, last_decoded);
      return;
    }
    const TsTicks step = *stamp - TsStamp(known->second);
    EXPECT_GE(step, TsTicks(0));
    EXPECT_LT(step, milliseconds(500));
    known->second += step;
  }

  // A packet of `pid` with the programme clock alone.
  void SendClock(std::uint16_t pid, TsTicks time) { Rewrite(ClockPacket(pid, 0, TsStamp(time))); }

  void Pass(TsTicks time) {
    now.Advance(std::chrono::duration_cast<std::chrono::nanoseconds>(time));
  }
  void Renew() {
    clock.emplace();
    clocks.clear();
  }

  static TsTicks Unwrap(TsStamp stamp, TsTicks near) { return near + (stamp - TsStamp(near)); }

  static void ExpectEven(const std::vector<TsTicks>& line, TsTicks step = kFrame) {
    for (std::size_t i = 1; i < line.size(); ++i) EXPECT_EQ(line[i] - line[i - 1], step) << i;
  }

  FakeClock now;
  TsWriter writer;
  std::optional<TsClock> clock{std::in_place};
  TsTicks last_decoded{0};
  std::map<std::uint16_t, TsTicks> clocks;
  std::size_t fillers = 0;
};

TEST_F(TsClockTest, LeavesAStreamWithoutJumpsAsItIs) {
  TsWriter twin;
  for (int i = 0; i < 300; ++i) {
    const auto ticks = static_cast<std::uint64_t>(i) * 3000;
    const TsWriter::Times times{.pts = 500'000 + ticks, .dts = {}, .pcr = 488'750 + ticks};
    const TsPacket packet = Rewrite(times);
    const std::string original = twin.Timed(times);
    EXPECT_TRUE(
        std::equal(original.begin(), original.end(), reinterpret_cast<const char*>(packet.data())))
        << i;
    Pass(kFrame);
  }
  EXPECT_EQ(clock->epochs(), 1u);
  EXPECT_EQ(fillers, 0u);
}

TEST_F(TsClockTest, PacketsWithoutTimesPass) {
  for (const std::string& text : {writer.Pat(), writer.Pmt(), writer.More()}) {
    TsPacket packet;
    std::copy(text.begin(), text.end(), packet.begin());
    const TsPacket original = packet;
    std::vector<TsPacket> before;
    clock->Rewrite(packet, now.Now(), before);
    EXPECT_EQ(packet, original);
    EXPECT_TRUE(before.empty());
  }
}

TEST_F(TsClockTest, AWrapIsNoJump) {
  last_decoded = TsTicks(TsStamp::kRange) - seconds(5);
  const auto line = Play(last_decoded, 300);
  EXPECT_EQ(line.front(), TsTicks(TsStamp::kRange) - seconds(5));
  ExpectEven(line);
  EXPECT_EQ(clock->epochs(), 1u);
}

TEST_F(TsClockTest, TheProgrammeClockMayWrapBeforeTheFirstFrame) {
  Rewrite({.pts = {}, .dts = {}, .pcr = TsStamp::kRange - 10});
  ExpectEven(Play(kLead, 300));
  EXPECT_EQ(clock->epochs(), 1u);
}

TEST_F(TsClockTest, RunsFor48HoursOfWrappingStampsWithoutAnError) {
  constexpr TsTicks kStep{36'000};
  constexpr int kUnits = 48 * 3600 * 10 / 4;
  const TsTicks start = TsTicks(TsStamp::kRange) - hours(1);
  last_decoded = start;
  int wrong = 0;
  for (int i = 0; i < kUnits; ++i) {
    const TsTicks pts = start + i * kStep;
    if (Video(pts) != pts) ++wrong;
    if (i % 8 == 0 && Audio(pts + TsTicks(700)) != pts + TsTicks(700)) ++wrong;
    Pass(kStep);
  }
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(clock->epochs(), 1u);
  EXPECT_EQ(fillers, 0u);
}

TEST_F(TsClockTest, AJumpStartsAnEpochThatGoesOnSmoothly) {
  for (const TsTicks jump :
       {TsTicks(hours(1)), TsTicks(-hours(1)), TsTicks(milliseconds(300)),
        TsTicks(-milliseconds(300)), TsTicks(milliseconds(250)), -kFrame - TsTicks(1),
        TsTicks(hours(12)), TsTicks(-hours(13)), TsTicks(seconds(5)), TsTicks(-seconds(2))}) {
    Renew();
    const TsTicks start = last_decoded = hours(20);
    auto line = Play(start, 100);
    const auto more = Play(start + 100 * kFrame + jump, 100);
    line.insert(line.end(), more.begin(), more.end());
    ExpectEven(line);
    EXPECT_EQ(clock->epochs(), 2u) << jump.count();
  }
}

TEST_F(TsClockTest, AnyNumberOfJumpsIsFollowed) {
  std::vector<TsTicks> line;
  for (int i = 0; i < 50; ++i) {
    const auto part = Play(hours(i * 7 % 26) + i * kFrame, 20);
    line.insert(line.end(), part.begin(), part.end());
  }
  ExpectEven(line);
  EXPECT_EQ(clock->epochs(), 50u);
}

TEST_F(TsClockTest, AClockThatWentOnWhileNothingCameIsAGap) {
  for (const TsTicks pause : {TsTicks(milliseconds(500)), TsTicks(seconds(5)), TsTicks(seconds(60)),
                              TsTicks(std::chrono::minutes(9))}) {
    Renew();
    last_decoded = seconds(10);
    fillers = 0;
    const auto line = Play(seconds(10), 30);
    Pass(pause - milliseconds(100));  // what was read late does not matter
    const auto more = Play(seconds(10) + 30 * kFrame + pause, 30);
    EXPECT_EQ(more.front() - line.back(), pause + kFrame);
    ExpectEven(more);
    EXPECT_EQ(clock->epochs(), 1u);
    EXPECT_GE(fillers, static_cast<std::size_t>(pause / milliseconds(500)));
  }
}

TEST_F(TsClockTest, FramesThatWereDroppedWhileEverythingWaitedAreAGap) {
  Play(seconds(10), 90);
  const TsTicks live = seconds(13);
  Pass(seconds(2));
  // Two seconds come at once; of 1.2 s of them the publisher kept nothing.
  std::vector<TsTicks> line;
  for (const TsTicks from : {live, live + TsTicks(milliseconds(1500))}) {
    for (int i = 0; i < 9; ++i) line.push_back(Video(from + i * kFrame));
  }
  EXPECT_EQ(line[9] - line[8], TsTicks(milliseconds(1500)) - 8 * kFrame);
  EXPECT_EQ(clock->epochs(), 1u);
  // Beyond the live edge it is a jump as ever.
  Video(live + TsTicks(milliseconds(2400)));
  EXPECT_EQ(clock->epochs(), 2u);
}

TEST_F(TsClockTest, AClockThatStartsAnewAfterAPauseGoesOnBehindThePause) {
  const auto line = Play(seconds(1000), 30);
  Pass(seconds(5));
  const auto more = Play(seconds(1), 30);
  EXPECT_NEAR(static_cast<double>((more.front() - line.back() - seconds(5)).count()), 3000, 1);
  ExpectEven(more);
  EXPECT_EQ(clock->epochs(), 2u);
}

TEST_F(TsClockTest, MissedBytesAreAGapHoweverFastTheRestIsRead) {
  const auto line = Play(seconds(10), 30);
  clock->AnnounceHole();
  const auto more = Play(seconds(10) + 30 * kFrame + seconds(6), 30);
  EXPECT_EQ(more.front() - line.back(), seconds(6) + kFrame);
  EXPECT_EQ(clock->epochs(), 1u);
  // Once it is filled a jump is a jump again.
  Play(seconds(30), 2);
  EXPECT_EQ(clock->epochs(), 2u);
}

TEST_F(TsClockTest, BFramesAreNoJumps) {
  // In decoding order: I P B B P B B …, each shown when its turn comes.
  constexpr std::array<int, 8> kShown = {0, 3, 1, 2, 6, 4, 5, 7};
  TsTicks jump{0};
  for (const int i : {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}) {
    if (i == 5) jump = hours(1);
    for (int k = 0; k < 8; ++k) {
      const TsTicks group = seconds(50) + i * 8 * kFrame;
      const TsTicks pts = group + kShown[static_cast<std::size_t>(k)] * kFrame + 3 * kFrame;
      EXPECT_EQ(Send({.pts = pts + jump, .dts = group + k * kFrame + jump}), pts) << i << ' ' << k;
      Pass(kFrame);
    }
  }
  EXPECT_EQ(clock->epochs(), 2u);
}

TEST_F(TsClockTest, BFramesWithoutDecodingTimesAreNoJumps) {
  constexpr std::array<int, 4> kShown = {3, 1, 2, 4};
  for (int i = 0; i < 200; ++i) {
    TsWriter::Times times;
    times.pts = 100'000 + static_cast<std::uint64_t>(i / 4 * 4 + kShown[i % 4u]) * 3000;
    times.pcr = 90'000 + static_cast<std::uint64_t>(i) * 3000;
    EXPECT_EQ(ReadPesStamps(Rewrite(times))->pts, TsStamp(*times.pts));
    Pass(kFrame);
  }
  EXPECT_EQ(clock->epochs(), 1u);
}

TEST_F(TsClockTest, AVariableFrameRateIsKept) {
  std::mt19937 random(7);
  TsTicks pts = seconds(3);
  for (int i = 0; i < 5000; ++i) {
    const TsTicks step(std::uniform_int_distribution(90, 90'000)(random));
    pts += step;
    Pass(step);
    ASSERT_EQ(Video(pts), pts);
  }
  EXPECT_EQ(clock->epochs(), 1u);
}

TEST_F(TsClockTest, ASlowerRateIsNoSeriesOfJumpsEvenInABurst) {
  Play(seconds(5), 60);
  // Two frames a second, without any time passing between them.
  TsTicks before{0};
  int uneven = 0;
  for (int i = 0; i < 20; ++i) {
    const TsTicks pts = Video(seconds(100) + i * TsTicks(45'000));
    if (i > 1 && pts - before != TsTicks(45'000)) ++uneven;
    before = pts;
  }
  EXPECT_EQ(uneven, 0);
  EXPECT_LE(clock->epochs(), 3u);
}

TEST_F(TsClockTest, OneFrameASecondIsNoJump) {
  ExpectEven(Play(seconds(5), 100, seconds(1)), seconds(1));
  EXPECT_EQ(clock->epochs(), 1u);
  EXPECT_GE(fillers, 100u);
}

TEST_F(TsClockTest, ADamagedStampShiftsNothingForGood) {
  Play(seconds(5), 50);
  Video(hours(11));
  const auto more = Play(seconds(5) + 51 * kFrame, 50);
  EXPECT_EQ(more.front(), seconds(5) + 51 * kFrame);
  ExpectEven(more);
}

TEST_F(TsClockTest, ProgrammeClocksFarFromTheFirstFrameAreForgotten) {
  const TsTicks start = last_decoded = hours(14);
  for (const TsTicks from : {start - hours(13), start + hours(1)}) {
    Renew();
    fillers = 0;
    for (std::uint16_t pid = 0x100; pid < 0x120; ++pid) SendClock(pid, from);
    clocks.clear();  // the demuxer sees one step from them to the true ones
    SendClock(kVideo, from);
    clocks.clear();
    ExpectEven(Play(start, 30));
    EXPECT_EQ(clocks[kVideo], start + 29 * kFrame - kLead);
    EXPECT_EQ(fillers, 0u);
  }
}

TEST_F(TsClockTest, OnlyTheLastProgrammeClocksAreFilled) {
  Play(seconds(10), 10);
  for (std::uint16_t pid = 0x100; pid < 0x120; ++pid) SendClock(pid, seconds(10) + 9 * kFrame);
  Pass(seconds(60));
  Play(seconds(70) + 10 * kFrame, 1);
  EXPECT_GE(fillers, 120u);
  EXPECT_LE(fillers, 2u * 151);
}

TEST_F(TsClockTest, GrowingStepsAreJumpsOnceTheyAreSeconds) {
  for (const TsTicks factor : {TsTicks(19), TsTicks(70)}) {  // tenths
    Renew();
    TsTicks pts = seconds(10);
    TsTicks step = kFrame;
    last_decoded = pts;
    Play(pts, 10);
    pts += 9 * kFrame;
    TsTicks before = last_decoded;
    for (int i = 0; i < 40; ++i) {  // all at once
      step = std::min<TsTicks>(step * factor.count() / 10, std::chrono::minutes(9));
      pts += step;
      const TsTicks line = Video(pts);
      EXPECT_LE(line - before, seconds(10)) << i;
      before = line;
    }
    EXPECT_GT(clock->epochs(), 10u);
  }
}

TEST_F(TsClockTest, NoInputMakesManyTimesAsMuchOfItself) {
  Play(seconds(10), 10);
  fillers = 0;
  constexpr std::size_t kUnits = 3000;
  for (std::size_t i = 0; i < kUnits; ++i) {
    clock->AnnounceHole();
    TsPacket packet;
    const std::string text =
        writer.Timed({.pts = TsStamp(seconds(11) + i * TsTicks(seconds(29))).ticks(), .dts = {}});
    std::copy(text.begin(), text.end(), packet.begin());
    std::vector<TsPacket> before;
    clock->Rewrite(packet, now.Now(), before);
    fillers += before.size();
  }
  EXPECT_LE(fillers, kUnits * 4 + 4096);
}

TEST_F(TsClockTest, AudioKeepsItsDistanceToTheVideo) {
  // Audio comes `ahead` of the video with the same time; so it meets the jump first, or last.
  for (const int ahead : {-9, -1, 0, 1, 9}) {
    for (const TsTicks jump :
         {TsTicks(hours(1)), TsTicks(-hours(1)), TsTicks(milliseconds(300)),
          TsTicks(-milliseconds(300)), TsTicks(-milliseconds(200)), TsTicks(-seconds(4))}) {
      Renew();
      last_decoded = seconds(10'000);
      const auto at = [&](int frame) {
        return seconds(10'000) + frame * kFrame + (frame < 100 ? TsTicks(0) : jump);
      };
      TsTicks video{0};
      std::map<int, TsTicks> sounds;
      for (int i = 0; i < 200; ++i) {
        video = Video(at(i));
        sounds[i + ahead] = Audio(at(std::max(i + ahead, 0)) + TsTicks(500));
        if (sounds.contains(i) && i > 112) {
          EXPECT_EQ(sounds[i] - video, TsTicks(500)) << ahead << ' ' << jump.count() << ' ' << i;
        }
        Pass(kFrame);
      }
      EXPECT_EQ(clock->epochs(), 2u) << ahead << ' ' << jump.count();
    }
  }
}

TEST_F(TsClockTest, AudioThatJumpsAloneMovesNoVideo) {
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(Video(seconds(10) + i * kFrame), seconds(10) + i * kFrame);
    Audio(seconds(10) + i * kFrame + i / 10 * TsTicks(hours(1)));
    Pass(kFrame);
  }
  EXPECT_EQ(clock->epochs(), 1u);
}

TEST_F(TsClockTest, AudioThatAppearsLaterIsInPlaceAtOnce) {
  Play(hours(2), 10);
  Play(hours(1), 50);
  const TsTicks video = Video(hours(1) + 50 * kFrame);
  EXPECT_EQ(Audio(hours(1) + 40 * kFrame) - video, -10 * kFrame);
}

TEST_F(TsClockTest, VideoThatAppearsLaterIsInPlaceAtOnce) {
  for (int i = 0; i < 50; ++i) {
    Audio(seconds(8) + i * kFrame);
    Pass(kFrame);
  }
  EXPECT_EQ(Video(seconds(8)), seconds(8));
  EXPECT_EQ(clock->epochs(), 1u);
}

TEST_F(TsClockTest, AnotherVideoPidContinuesTheLine) {
  const auto line = Play(seconds(500), 100);
  std::vector<TsTicks> more;
  for (int i = 0; i < 100; ++i) {
    more.push_back(Send({.pts = seconds(3) + i * kFrame, .pid = 0x200}));
    Pass(kFrame);
  }
  EXPECT_GT(more.front(), line.back());
  EXPECT_LT(more.front() - line.back(), milliseconds(100));
  ExpectEven(more);
}

TEST_F(TsClockTest, TwoProgrammesEachKeepTheirOwnPace) {
  std::vector<TsTicks> first, second;
  for (int i = 0; i < 200; ++i) {
    first.push_back(Send({.pts = seconds(500) + i * kFrame, .has_clock = false}));
    second.push_back(Send({.pts = hours(3) + i * kFrame, .pid = 0x200, .has_clock = false}));
    Pass(kFrame);
  }
  ExpectEven(first);
  ExpectEven(second);
  EXPECT_EQ(clock->epochs(), 1u);
}

TEST_F(TsClockTest, ADamagedStampShiftsNoVideoAgainstItsAudio) {
  for (const TsTicks damage :
       {TsTicks(18'000), TsTicks(-9000), TsTicks(16'000), TsTicks(6000), TsTicks(-6001),
        TsTicks(-20'000), TsTicks(22'000), TsTicks(24'000), TsTicks(hours(3))}) {
    for (const bool has_dts : {false, true}) {
      for (const bool has_clock : {false, true}) {
        Renew();
        last_decoded = seconds(10);
        for (int i = 0; i < 200; ++i) {
          const TsTicks right = seconds(10) + i * kFrame;
          const TsTicks came = right + (i == 100 ? damage : TsTicks(0));
          Unit unit{.pts = came, .has_clock = has_clock};
          if (has_dts) unit = {.pts = came + kFrame, .dts = came, .has_clock = has_clock};
          const TsTicks video = Send(unit) - (has_dts ? kFrame : TsTicks(0));
          const TsTicks audio = Audio(right + TsTicks(500));
          if (i != 100) {
            EXPECT_EQ(video, right) << damage.count() << has_dts << has_clock << ' ' << i;
            EXPECT_EQ(audio, right + TsTicks(500)) << damage.count() << ' ' << i;
          }
          Pass(kFrame);
        }
      }
    }
  }
}

TEST_F(TsClockTest, TwoDamagedStampsInARowShiftNothingForGood) {
  for (const auto& [first, second] : {std::pair(-9000, 4000), std::pair(12'000, -9500),
                                      std::pair(16'000, -8000), std::pair(-20'000, 300'000)}) {
    Renew();
    last_decoded = seconds(10);
    Play(seconds(10), 100);
    Video(seconds(10) + 100 * kFrame + TsTicks(first));
    Pass(kFrame);
    Video(seconds(10) + 101 * kFrame + TsTicks(second));
    Pass(kFrame);
    const auto more = Play(seconds(10) + 102 * kFrame, 50);
    EXPECT_EQ(more.front(), seconds(10) + 102 * kFrame) << first << ' ' << second;
    ExpectEven(more);
  }
}

TEST_F(TsClockTest, MorePidsThanItKeepsMoveWithTheVideo) {
  Play(hours(5), 3);
  Play(hours(2), 3);
  for (std::uint16_t pid = 0x300; pid < 0x400; ++pid) {
    const TsTicks pts = hours(2) + 3 * kFrame;
    const TsTicks moved = Send({.pts = pts, .pid = pid, .stream_id = 0xC0, .has_clock = false});
    EXPECT_EQ(moved, hours(5) + 6 * kFrame) << pid;
  }
}

TEST_F(TsClockTest, WhateverTheClockDoesTheLineRisesInKnownSteps) {
  for (unsigned seed = 0; seed < 30; ++seed) {
    Renew();
    std::mt19937 random(seed);
    TsTicks pts(std::uniform_int_distribution<std::int64_t>(0, TsStamp::kRange)(random));
    last_decoded = TsTicks(static_cast<std::int64_t>(TsStamp(pts).ticks()));
    std::optional<TsTicks> before, offset;
    std::uint64_t epoch = 1;
    for (int i = 0; i < 2000; ++i) {
      if (random() % 50 == 0) {
        pts += TsTicks(std::uniform_int_distribution<std::int64_t>(
            -std::int64_t{TsStamp::kRange}, std::int64_t{TsStamp::kRange})(random));
      }
      const TsTicks line = Video(pts);
      const TsTicks moved = Unwrap(TsStamp(line - pts), TsTicks(0));
      if (before) {
        ASSERT_GT(line, *before) << seed << ' ' << i;
        ASSERT_LE(line - *before, seconds(5)) << seed << ' ' << i;
        if (epoch == clock->epochs()) {
          ASSERT_EQ(moved, *offset) << seed << ' ' << i;
        }
      }
      before = line;
      offset = moved;
      epoch = clock->epochs();
      pts += kFrame;
      Pass(kFrame);
    }
  }
}

}  // namespace
}  // namespace framelock::stream
