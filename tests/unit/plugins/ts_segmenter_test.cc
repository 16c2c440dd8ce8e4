// SPDX-License-Identifier: Apache-2.0
#include "plugins/ts_segmenter.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "tests/unit/plugins/ts_bytes.h"

namespace framelock::plugins {
namespace {

using framelock::testing::TsWriter;
using namespace std::chrono_literals;

constexpr std::uint8_t kH264 = 0x1b;
constexpr std::uint8_t kH265 = 0x24;
constexpr std::uint8_t kAac = 0x0f;
constexpr std::uint16_t kVideo = 0x101;
constexpr std::uint16_t kAudio = 0x102;

class TsSegmenterTest : public ::testing::Test {
 protected:
  // Pushes whole packets and draws what comes out: "|" a cut, "0" PAT, "m" PMT, "V" a picture's
  // start, "v" its rest, "a" audio, "?" others.
  std::string Push(const std::vector<TsPacket>& packets) {
    std::vector<std::byte> bytes(packets.size() * kTsPacketBytes);
    for (std::size_t i = 0; i < packets.size(); ++i) {
      std::memcpy(bytes.data() + i * kTsPacketBytes, packets[i].data(), kTsPacketBytes);
    }
    return Draw(segmenter_.Push(bytes));
  }
  std::string Draw(const std::vector<TsSegmenter::Chunk>& chunks) {
    std::string drawn;
    for (const auto& chunk : chunks) {
      if (chunk.starts_segment) drawn += '|';
      TsPacketReader reader;
      reader.Push(chunk.bytes, [&](const TsPacket& packet) { drawn += Letter(packet); });
    }
    return drawn;
  }
  char Letter(const TsPacket& packet) {
    const std::uint16_t pid = TsHeader(packet).pid();
    if (pid == 0 || pid == TsWriter::kMapPid) {
      const int continuity = packet[3] & 0x0f;
      const auto last = table_continuity_.find(pid);
      if (last != table_continuity_.end()) {
        EXPECT_EQ(continuity, (last->second + 1) % 16) << "of pid " << pid;
      }
      table_continuity_[pid] = continuity;
      return pid == 0 ? '0' : 'm';
    }
    if (pid == kVideo) return (packet[1] & 0x40) != 0 ? 'V' : 'v';
    return pid == kAudio ? 'a' : '?';
  }
  TsPacket Map() { return writer_.Map({{kAac, kAudio}, {kH264, kVideo}}); }
  TsPacket Key(std::uint64_t pts = 0) {
    return writer_.Start(kVideo, {.pts = pts, .random_access = true});
  }
  TsPacket Delta(std::uint64_t pts = 0) { return writer_.Start(kVideo, {.pts = pts}); }
  TsPacket Rest() { return writer_.Rest(kVideo); }
  TsPacket Audio(std::uint64_t pts = 0) {
    return writer_.Start(kAudio, {.pts = pts, .random_access = true});
  }

  TsWriter writer_;
  TsSegmenter segmenter_{TsSegmenter::Options{}};
  std::map<std::uint16_t, int> table_continuity_;
};

TEST_F(TsSegmenterTest, CutsAtKeyframesAndReplaysTablesThatAreNotThere) {
  EXPECT_EQ(Push({writer_.Associations(), Map(), Key(), Rest(), Delta(), Audio()}), "|0mVvVa");
  EXPECT_EQ(Push({Key(), Rest()}), "|0mVv") << "the muxer sent no tables before this keyframe";
  EXPECT_EQ(segmenter_.stats().segments, 2u);
  EXPECT_EQ(segmenter_.stats().skipped_packets, 0u);
}

TEST_F(TsSegmenterTest, TablesBeforeAKeyframeAreNotDoubled) {
  Push({writer_.Associations(), Map(), Key()});
  EXPECT_EQ(Push({writer_.Associations(), Map(), Key()}), "|0mV");
  EXPECT_EQ(Push({writer_.Associations(), Map(), Delta()}), "0mV") << "elsewhere they stay";
  EXPECT_EQ(Push({writer_.Associations()}), "") << "held: a cut may come";
  EXPECT_EQ(Push({Rest()}), "0v");
}

TEST_F(TsSegmenterTest, DropsAndCountsWhatCannotBeDecoded) {
  EXPECT_EQ(Push({Rest(), Delta(), Key()}), "") << "no tables yet";
  EXPECT_EQ(Push({writer_.Associations(), Map(), Audio(), Delta(), Rest()}), "");
  EXPECT_EQ(segmenter_.stats().skipped_packets, 6u);
  EXPECT_EQ(Push({Key()}), "|0mV");
}

TEST_F(TsSegmenterTest, PacketsMayBeCutAnywhere) {
  const std::vector<TsPacket> packets = {
      writer_.Associations(), Map(), Key(), Rest(), Key(), Rest()};
  std::string drawn;
  for (const TsPacket& packet : packets) {
    for (std::size_t at = 0; at < packet.size(); at += 47) {
      std::vector<std::byte> part(47);
      std::memcpy(part.data(), packet.data() + at, part.size());
      drawn += Draw(segmenter_.Push(part));
    }
  }
  EXPECT_EQ(drawn, "|0mVv|0mVv");
}

TEST_F(TsSegmenterTest, MinimumDurationIsMeasuredInStreamTime) {
  segmenter_ = TsSegmenter({.min_segment_duration = 1s});
  constexpr std::uint64_t kSecond = 90000;
  const std::uint64_t start = (std::uint64_t{1} << 33) - kSecond / 2;  // wraps on the way
  const auto at = [&](std::uint64_t ticks) { return (start + ticks) % (std::uint64_t{1} << 33); };
  EXPECT_EQ(Push({writer_.Associations(), Map(), Key(at(0))}), "|0mV");
  EXPECT_EQ(Push({Key(at(kSecond / 2))}), "V");
  EXPECT_EQ(Push({Key(at(kSecond - 1))}), "|0mV") << "one tick of rounding";
  EXPECT_EQ(Push({Key(at(kSecond + 1000))}), "V");
  EXPECT_EQ(Push({Key(at(3 * kSecond))}), "|0mV");
  EXPECT_EQ(Push({Key(at(2 * kSecond))}), "|0mV") << "a new timeline";
}

TEST_F(TsSegmenterTest, FindsIdrPicturesOfMuxersThatFlagNothing) {
  const std::vector<std::uint8_t> idr = {0, 0, 0,    1,    9, 0x10, 0, 0,
                                         0, 1, 0x67, 0x42, 0, 0,    1, 0x65};
  const std::vector<std::uint8_t> slice = {0, 0, 0, 1, 9, 0x30, 0, 0, 1, 0x41, 0x9a};
  EXPECT_EQ(
      Push({writer_.Associations(), Map(), writer_.Start(kVideo, {.payload = idr}),
            writer_.Start(kVideo, {.payload = slice}), writer_.Start(kVideo, {.payload = idr})}),
      "|0mVV|0mV");
}

TEST_F(TsSegmenterTest, FindsIdrPicturesOfH265) {
  const std::vector<std::uint8_t> idr = {0, 0, 1, 0x40, 1, 0, 0, 1, 0x26, 1};
  const std::vector<std::uint8_t> slice = {0, 0, 1, 0x02, 1};
  EXPECT_EQ(
      Push({writer_.Associations(), writer_.Map({{kH265, kVideo}}),
            writer_.Start(kVideo, {.payload = slice}), writer_.Start(kVideo, {.payload = idr})}),
      "|0mV");
}

TEST_F(TsSegmenterTest, WithoutVideoItCutsOnceASecond) {
  constexpr std::uint64_t kFrame = 1920;  // of AAC at 48 kHz
  std::vector<TsPacket> packets = {writer_.Associations(), writer_.Map({{kAac, kAudio}})};
  for (std::uint64_t i = 0; i < 100; ++i) packets.push_back(Audio(i * kFrame));
  const std::string drawn = Push(packets);
  EXPECT_EQ(std::count(drawn.begin(), drawn.end(), '|'), 3);
  EXPECT_EQ(std::count(drawn.begin(), drawn.end(), 'a'), 100);
}

TEST_F(TsSegmenterTest, ANewMapMovesTheVideo) {
  Push({writer_.Associations(), Map(), Key()});
  EXPECT_EQ(Push({writer_.Map({{kH264, kAudio}, {kAac, kVideo}})}), "");
  EXPECT_EQ(Push({Key()}), "mV") << "now a sound, so no cut";
  EXPECT_EQ(Push({Audio()}), "|0ma");
}

TEST_F(TsSegmenterTest, FindsTheNextPacketAfterGarbage) {
  Push({writer_.Associations(), Map(), Key()});
  std::vector<std::byte> bytes(1000, std::byte{0x47});
  bytes.resize(1001, std::byte{0});
  EXPECT_EQ(Draw(segmenter_.Push(std::span(bytes).subspan(0, 1))), "");
  const TsPacket key = Key();
  std::vector<std::byte> noise(333, std::byte{0x11});
  noise.insert(noise.end(), reinterpret_cast<const std::byte*>(key.data()),
               reinterpret_cast<const std::byte*>(key.data() + key.size()));
  EXPECT_EQ(Draw(segmenter_.Push(noise)), "|0mV");
  EXPECT_EQ(segmenter_.skipped_bytes(), 334u);
}

TEST_F(TsSegmenterTest, LyingLengthsAreHarmless) {
  TsPacket map = Map();
  for (int value = 0; value < 256; ++value) {
    for (const std::size_t at : {4u, 6u, 7u, 15u, 16u, 20u}) {
      TsPacket lie = map;
      lie[at] = static_cast<std::uint8_t>(value);
      Push({writer_.Associations(), lie, Key(), Rest()});
      TsPacket key = Key();
      key[at] = static_cast<std::uint8_t>(value);
      Push({key});
    }
  }
  table_continuity_.clear();
  EXPECT_EQ(Push({writer_.Associations(), map, Key()}).back(), 'V');
}

}  // namespace
}  // namespace framelock::plugins
