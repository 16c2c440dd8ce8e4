// SPDX-License-Identifier: Apache-2.0
// The programme that the demuxer is shown.
#include "pipeline/stream/audio_lanes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "tests/support/ts_crc.h"
#include "tests/support/ts_writer.h"

namespace framelock::stream {
namespace {

using test::TsWriter;

constexpr std::uint16_t kAdtsLane = 0x1fe0;
constexpr std::uint16_t kMpegLane = 0x1fe2;
constexpr std::size_t kLanes = 8;

class AudioLanesTest : public testing::Test {
 protected:
  // The packets that the demuxer gets.
  std::vector<TsPacket> Rewrite(const std::string& bytes) {
    std::vector<std::uint8_t> packets(bytes.begin(), bytes.end());
    lanes_.Rewrite(packets);
    std::vector<TsPacket> out(packets.size() / kTsPacketBytes);
    for (std::size_t i = 0; i < out.size(); ++i) {
      std::copy_n(packets.begin() + static_cast<std::ptrdiff_t>(i * kTsPacketBytes), kTsPacketBytes,
                  out[i].begin());
    }
    return out;
  }
  std::vector<TsPacket> Map(const std::vector<TsWriter::Stream>& streams, std::size_t padding = 0) {
    Rewrite(ts_.Pat());
    return Rewrite(ts_.Pmt(streams, padding));
  }
  static std::vector<std::uint16_t> PidsOf(const TsPacket& map) {
    std::vector<std::uint16_t> pids;
    const auto section = TsHeader(std::span(map)).payload().subspan(1);
    const std::size_t end = 3u + ((section[1] & 0x0f) << 8 | section[2]) - 4;
    for (std::size_t at = 12u + ((section[10] & 0x0f) << 8 | section[11]); at + 5 <= end;
         at += 5u + ((section[at + 3] & 0x0f) << 8 | section[at + 4])) {
      pids.push_back(static_cast<std::uint16_t>((section[at + 1] & 0x1f) << 8 | section[at + 2]));
    }
    return pids;
  }
  // The table with its current_next_indicator off.
  static std::string NotYet(std::string table) {
    table[10] = static_cast<char>(table[10] & ~1);
    return Signed(std::move(table));
  }
  // The table with the CRC of what it says, if it has room for one.
  static std::string Signed(std::string table) {
    constexpr std::size_t kSection = 5;
    const std::size_t size =
        3u + ((table[kSection + 1] & 0x0f) << 8 | static_cast<std::uint8_t>(table[kSection + 2]));
    if (size < 4 || kSection + size > table.size()) return table;
    const std::uint32_t crc = test::TsCrc(std::string_view(table).substr(kSection, size - 4));
    for (std::size_t i = 0; i < 4; ++i) {
      table[kSection + size - 4 + i] = static_cast<char>(crc >> (24 - 8 * i));
    }
    return table;
  }
  static std::uint16_t PidOf(const TsPacket& packet) { return TsHeader(std::span(packet)).pid(); }

  TsWriter ts_;
  AudioLanes lanes_;
};

TEST_F(AudioLanesTest, TheDemuxerSeesTheSameProgrammeWhateverTheAudio) {
  const auto with = Map({TsWriter::kVideo, TsWriter::kAudio});
  const auto without = Map({TsWriter::kVideo});
  ASSERT_EQ(with.size(), 1U);
  EXPECT_EQ(PidsOf(with[0]), PidsOf(without.at(0)));
  EXPECT_EQ(PidsOf(with[0]).size(), 1 + kLanes);
  EXPECT_EQ(PidsOf(with[0])[0], TsWriter::kVideoPid);
}

TEST_F(AudioLanesTest, AudioTravelsInTheLaneOfItsCodec) {
  Map({TsWriter::kVideo, TsWriter::kAudio});
  EXPECT_EQ(lanes_.lane(), kAdtsLane);
  const auto audio = Rewrite(ts_.Audio(0));
  ASSERT_EQ(audio.size(), 1U);
  EXPECT_EQ(PidOf(audio[0]), kAdtsLane);
  Map({TsWriter::kVideo, {0x04, TsWriter::kAudioPid}});
  EXPECT_EQ(lanes_.lane(), kMpegLane);
  EXPECT_EQ(PidOf(Rewrite(ts_.Audio(1)).at(0)), kMpegLane);
}

TEST_F(AudioLanesTest, ThePacketsRestIsUntouched) {
  Map({TsWriter::kVideo, TsWriter::kAudio});
  const std::string before = ts_.Audio(4711);
  TsPacket after = Rewrite(before).at(0);
  EXPECT_TRUE(std::equal(after.begin() + 3, after.end(), before.begin() + 3,
                         [](std::uint8_t a, char b) { return a == static_cast<std::uint8_t>(b); }));
  const std::string video = ts_.Key(0);
  EXPECT_EQ(PidOf(Rewrite(video).at(0)), TsWriter::kVideoPid);
}

TEST_F(AudioLanesTest, OfSeveralTracksTheFirstThatIsKnown) {
  Map({TsWriter::kVideo, {0x83, 0x111}, {0x0f, 0x112}, {0x0f, 0x113}});
  EXPECT_EQ(PidOf(Rewrite(ts_.Picture(0, "audio", 0x112)).at(0)), kAdtsLane);
  EXPECT_EQ(PidOf(Rewrite(ts_.Picture(0, "audio", 0x113)).at(0)), 0x113);
}

TEST_F(AudioLanesTest, AMapWithoutVideoIsLeftAsItIs) {
  const std::string before = ts_.Pmt({TsWriter::kAudio});
  Rewrite(ts_.Pat());
  const auto after = Rewrite(before);
  EXPECT_EQ(PidsOf(after.at(0)), std::vector<std::uint16_t>{TsWriter::kAudioPid});
  EXPECT_FALSE(lanes_.lane());
}

TEST_F(AudioLanesTest, AMapWithoutRoomIsLeftAsItIsAndSoIsItsAudio) {
  const auto map = Map({TsWriter::kVideo, TsWriter::kAudio}, 120);
  EXPECT_EQ(PidsOf(map.at(0)).size(), 2U);
  EXPECT_FALSE(lanes_.lane());
  EXPECT_EQ(PidOf(Rewrite(ts_.Audio(0)).at(0)), TsWriter::kAudioPid);
}

TEST_F(AudioLanesTest, StrangersInALaneAreKeptOut) {
  Map({TsWriter::kVideo, TsWriter::kAudio});
  EXPECT_TRUE(Rewrite(ts_.Picture(0, "audio", kAdtsLane)).empty());
}

TEST_F(AudioLanesTest, ADamagedMapIsLeftAsItIs) {
  Map({TsWriter::kVideo, TsWriter::kAudio});
  std::string damaged = ts_.Pmt({TsWriter::kVideo, TsWriter::kAudio});
  damaged[22] = static_cast<char>(damaged[22] ^ 1);  // the audio's type
  const auto out = Rewrite(damaged);
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(std::string(out[0].begin(), out[0].end()), damaged);
  EXPECT_EQ(lanes_.lane(), kAdtsLane);
}

TEST_F(AudioLanesTest, DamagedAssociationsDoNotHideTheMap) {
  Map({TsWriter::kVideo, TsWriter::kAudio});
  std::string damaged = ts_.Pat();
  damaged[16] = static_cast<char>(damaged[16] ^ 1);  // the map's PID
  Rewrite(damaged);
  EXPECT_EQ(PidsOf(Rewrite(ts_.Pmt({TsWriter::kVideo})).at(0)).size(), 1 + kLanes);
  EXPECT_FALSE(lanes_.lane());
}

TEST_F(AudioLanesTest, ATableThatIsNotYetValidIsLeftAsItIs) {
  Map({TsWriter::kVideo, TsWriter::kAudio});
  const std::string next = NotYet(ts_.Pmt({TsWriter::kVideo}));
  const auto out = Rewrite(next);
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(std::string(out[0].begin(), out[0].end()), next);
  EXPECT_EQ(lanes_.lane(), kAdtsLane);
}

TEST_F(AudioLanesTest, VideoAndClockKeepTheirPlaceAndTheLanesMakeRoom) {
  for (const std::uint16_t pid : {0x1fe0, 0x1fe3, 0x1fe7}) {
    const auto map = Map({{0x1b, pid}, TsWriter::kAudio});
    const auto pids = PidsOf(map.at(0));
    ASSERT_EQ(pids.size(), 1 + kLanes);
    EXPECT_EQ(pids[0], pid);
    EXPECT_EQ(std::count(pids.begin(), pids.end(), pid), 1);
    EXPECT_EQ(PidOf(Rewrite(ts_.Picture(0, "key", pid)).at(0)), pid);
    EXPECT_EQ(PidOf(Rewrite(ts_.Audio(0)).at(0)), lanes_.lane());
    EXPECT_EQ(std::count(pids.begin(), pids.end(), *lanes_.lane()), 1);
  }
}

TEST_F(AudioLanesTest, LyingLengthsAreHarmless) {
  Rewrite(ts_.Pat());
  const std::string map = ts_.Pmt({TsWriter::kVideo, TsWriter::kAudio});
  for (std::size_t at = 4; at < 60; ++at) {
    for (const char value : {'\x00', '\x7f', '\xff'}) {
      std::string lie = map;
      lie[at] = value;
      Rewrite(lie);
      Rewrite(Signed(lie));
      Rewrite(ts_.Audio(0));
    }
  }
}

}  // namespace
}  // namespace framelock::stream
