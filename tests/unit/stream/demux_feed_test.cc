// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stream/demux_feed.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "tests/support/fake_clock.h"
#include "tests/support/ts_writer.h"

namespace framelock::stream {
namespace {

using Bytes = std::vector<std::uint8_t>;
using test::TsWriter;
using Continuity = TsContinuity::Packet;

enum class Before : std::uint8_t { kWhole, kHole };

constexpr std::uint16_t kVideo = TsWriter::kVideoPid;

TsPacket Packet(int pid, int counter, int flags = 0x10) {
  TsPacket packet;
  packet.fill(kTsSyncByte);  // a payload full of sync bytes
  packet[1] = static_cast<std::uint8_t>(pid >> 8);
  packet[2] = static_cast<std::uint8_t>(pid & 0xFF);
  packet[3] = static_cast<std::uint8_t>(flags | (counter & 0x0F));
  packet[4] = 1;
  packet[5] = 0;
  return packet;
}

TEST(TsContinuity, SeesAMissingPacketOfItsPidOnly) {
  TsContinuity continuity;
  EXPECT_EQ(continuity.Push(Packet(65, 3)), Continuity::kNext);
  continuity.Watch(65);
  for (int counter = 14; counter < 40; ++counter) {
    EXPECT_EQ(continuity.Push(Packet(65, counter)), Continuity::kNext);
  }
  EXPECT_EQ(continuity.Push(Packet(66, 3)), Continuity::kNext);
  EXPECT_EQ(continuity.Push(Packet(66, 9)), Continuity::kNext);
  EXPECT_EQ(continuity.Push(Packet(65, 41)), Continuity::kHole);
  EXPECT_EQ(continuity.Push(Packet(65, 42)), Continuity::kNext);
}

TEST(TsContinuity, AllowsWhatTheStandardAllows) {
  TsContinuity continuity;
  continuity.Watch(65);
  EXPECT_EQ(continuity.Push(Packet(65, 1)), Continuity::kNext);
  EXPECT_EQ(continuity.Push(Packet(65, 1)), Continuity::kRepeated);
  // No payload: their counters do not count.
  EXPECT_EQ(continuity.Push(Packet(65, 9, 0x20)), Continuity::kNext);
  TsPacket full = Packet(65, 9, 0x30);
  full[4] = 183;  // as its length says
  EXPECT_EQ(continuity.Push(full), Continuity::kNext);
  EXPECT_EQ(continuity.Push(Packet(65, 2)), Continuity::kNext);
}

TEST(TsContinuity, AnAnnouncedJumpIsAHoleTooForThePictureIsNotWhole) {
  TsContinuity continuity;
  continuity.Watch(65);
  EXPECT_EQ(continuity.Push(Packet(65, 2)), Continuity::kNext);
  TsPacket announced = Packet(65, 12, 0x30);
  announced[5] = 0x80;
  EXPECT_EQ(continuity.Push(announced), Continuity::kHole);
  EXPECT_EQ(continuity.Push(Packet(65, 13)), Continuity::kNext);
}

TEST(TsContinuity, SixteenLostPacketsAreNoRepetition) {
  TsContinuity continuity;
  continuity.Watch(65);
  EXPECT_EQ(continuity.Push(Packet(65, 2)), Continuity::kNext);
  TsPacket other = Packet(65, 2);
  other.back() = 1;
  EXPECT_EQ(continuity.Push(other), Continuity::kHole);
}

TEST(TsContinuity, StartsAnewAfterAKnownHole) {
  TsContinuity continuity;
  continuity.Watch(65);
  EXPECT_EQ(continuity.Push(Packet(65, 1)), Continuity::kNext);
  continuity.Restart();
  EXPECT_EQ(continuity.Push(Packet(65, 7)), Continuity::kNext);
}

// In this order, which operator+ does not promise.
std::string Join(std::initializer_list<std::string> parts) {
  std::string whole;
  for (const std::string& part : parts) whole += part;
  return whole;
}

/// A feed, what it gave out, and what a reader of its output would find wrong.
class DemuxFeedTest : public testing::Test {
 protected:
  Before Push(const std::string& bytes) {
    const std::vector<std::size_t> holes =
        feed.Push(std::as_bytes(std::span(bytes)), clock.Now(), out);
    return holes.empty() ? Before::kWhole : Before::kHole;
  }
  // A picture of `middle` full packets between its first one, which is full, and its filled-up end.
  std::string Picture(std::uint64_t pts, int middle = 2) {
    std::string packets = ts.Picture(pts, std::string(170, 'p'));
    for (int i = 0; i < middle; ++i) packets += ts.More();
    return packets + ts.Last();
  }
  // One of 19 full packets that says that it has so many.
  std::string PictureWithLength(std::uint64_t pts, std::size_t packets) {
    std::string picture = ts.Picture(pts, std::string(170, 'p'));
    const std::size_t length = packets * 184 - 6;
    picture[4 + 4] = static_cast<char>(length >> 8);
    picture[4 + 5] = static_cast<char>(length & 0xFF);
    for (int i = 0; i < 18; ++i) picture += ts.More();
    return picture;
  }
  // Empty PES packets of the video's PID, as offsets in packets.
  std::vector<std::size_t> Ends() const {
    static const Bytes kEmpty = {0, 0, 1, 0xE0, 0, 3, 0x80, 0, 0};
    std::vector<std::size_t> found;
    for (std::size_t at = 0; at + kTsPacketBytes <= out.size(); at += kTsPacketBytes) {
      const std::span<const std::uint8_t> rest = std::span(out).subspan(at);
      const TsHeader header(rest.first<kTsPacketBytes>());
      const auto payload = header.payload();
      if (header.pid() == kVideo && header.starts_unit() &&
          Bytes(payload.begin(), payload.end()) == kEmpty) {
        found.push_back(at / kTsPacketBytes);
      }
    }
    return found;
  }
  [[nodiscard]] std::size_t Count(const PesEnds::Mark& mark) const {
    std::size_t count = 0;
    for (std::size_t at = kTsPacketBytes; at <= out.size(); at += kTsPacketBytes) {
      count += std::equal(mark.rbegin(), mark.rend(),
                          out.rbegin() + static_cast<std::ptrdiff_t>(out.size() - at))
                   ? 1
                   : 0;
    }
    return count;
  }
  void ExpectUnbroken() const {
    ASSERT_EQ(out.size() % kTsPacketBytes, 0U);
    TsContinuity continuity;
    continuity.Watch(kVideo);
    for (std::size_t at = 0; at < out.size(); at += kTsPacketBytes) {
      TsPacket packet;
      std::copy_n(out.begin() + static_cast<std::ptrdiff_t>(at), packet.size(), packet.begin());
      EXPECT_EQ(continuity.Push(packet), Continuity::kNext) << at / kTsPacketBytes;
    }
  }

  FakeClock clock;
  TsWriter ts;
  DemuxFeed feed;
  Bytes out;
};

TEST_F(DemuxFeedTest, PassesEverythingBeforeTheVideoIsKnown) {
  const std::string stream = Join({ts.Pat(), ts.Pmt(), Picture(0), Picture(3000), Picture(6000)});
  EXPECT_EQ(Push(stream), Before::kWhole);
  EXPECT_EQ(std::string(out.begin(), out.end()), stream);
}

TEST_F(DemuxFeedTest, EndsAPictureOnceTheStreamHasShownWhereTheyEnd) {
  feed.Watch(kVideo, PesEnds::Marks::kUnit);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Push(Picture(3000U * i)), Before::kWhole);
  // The third begins behind two that were filled up at their ends.
  EXPECT_EQ(Ends(), (std::vector<std::size_t>{12, 17, 22}));
  ExpectUnbroken();
}

TEST_F(DemuxFeedTest, WhereAnAccessUnitBeginsIsMarked) {
  feed.Watch(kVideo, PesEnds::Marks::kUnit);
  const auto push = [this](std::string_view begin) {
    Push(Join({ts.Picture(0, std::string(begin) + std::string(160, 'p')), ts.More()}));
    return Count(PesEnds::kNextMark);
  };
  using std::string_view_literals::operator""sv;
  const std::string_view delimiter = "\0\0\0\1\x09\xF0"sv, later_slice = "\0\0\1\x01\x1A"sv;
  EXPECT_EQ(push(delimiter), 1U);
  EXPECT_EQ(push("\0\0\1\x01\x9A"sv), 2U);
  EXPECT_EQ(push(later_slice), 2U);
  EXPECT_EQ(push("p"sv), 2U);
  // In front of the picture it is, and all is as before.
  out.clear();
  EXPECT_EQ(push(delimiter), 1U);
  ASSERT_EQ(out.size(), 3 * kTsPacketBytes);
  EXPECT_EQ(std::string_view(reinterpret_cast<const char*>(&out[kTsPacketBytes - 4]), 4), "next");
  // Behind a hole nothing is kept that could be whole.
  feed.Restart();
  EXPECT_EQ(push(delimiter), 1U);
  EXPECT_EQ(push(delimiter), 2U);
  ExpectUnbroken();
  feed.Watch(kVideo, PesEnds::Marks::kNone);
  out.clear();
  EXPECT_EQ(push(delimiter), 0U);
}

TEST_F(DemuxFeedTest, HowTheBytesAreCutDoesNotMatter) {
  std::string stream = Join({"abc", ts.Pat(), ts.Pmt()});
  for (int i = 0; i < 6; ++i) stream += Join({Picture(3000U * i, i), ts.Audio(3000U * i)});
  feed.Watch(kVideo, PesEnds::Marks::kUnit);
  Push(stream);
  const Bytes whole = std::exchange(out, {});
  for (const std::size_t size : {std::size_t{1}, std::size_t{50}, std::size_t{189}}) {
    feed = DemuxFeed();
    feed.Watch(kVideo, PesEnds::Marks::kUnit);
    out.clear();
    for (std::size_t at = 0; at < stream.size(); at += size) Push(stream.substr(at, size));
    EXPECT_EQ(out, whole) << size;
  }
}

TEST_F(DemuxFeedTest, NeverTrustsAStreamThatFillsUpElsewhere) {
  feed.Watch(kVideo, PesEnds::Marks::kUnit);
  for (int i = 0; i < 4; ++i) Push(Picture(3000U * i));
  ASSERT_EQ(Ends().size(), 2U);
  // Two packets in the middle of a picture are filled up; the first was taken for its end.
  EXPECT_EQ(Push(Join({ts.Picture(12'000, std::string(170, 'p')), ts.Last()})), Before::kWhole);
  EXPECT_EQ(Push(ts.More()), Before::kHole);
  EXPECT_EQ(Push(ts.Last()), Before::kWhole);
  const std::size_t ended = Ends().size();
  EXPECT_EQ(ended, 3U);
  for (int i = 5; i < 10; ++i) Push(Picture(3000U * i));
  EXPECT_EQ(Ends().size(), ended);
  ExpectUnbroken();
}

TEST_F(DemuxFeedTest, AStreamThatFillsUpElsewhereFromTheStartIsNeverTorn) {
  feed.Watch(kVideo, PesEnds::Marks::kUnit);
  for (int i = 0; i < 6; ++i) {
    EXPECT_EQ(
        Push(Join({ts.Picture(3000U * i, std::string(170, 'p')), ts.Last(), ts.More(), ts.Last()})),
        Before::kWhole);
  }
  EXPECT_TRUE(Ends().empty());
}

TEST_F(DemuxFeedTest, APictureWithoutAFilledUpEndWaits) {
  feed.Watch(kVideo, PesEnds::Marks::kUnit);
  for (int i = 0; i < 4; ++i) Push(Picture(3000U * i));
  const std::size_t ended = Ends().size();
  // It happens to fill its last packet.
  Push(Join({ts.Picture(12'000, std::string(170, 'p')), ts.More()}));
  EXPECT_EQ(Ends().size(), ended);
  Push(Picture(15'000));
  EXPECT_EQ(Ends().size(), ended + 1);
  ExpectUnbroken();
}

TEST_F(DemuxFeedTest, AByteOrTwoToFillUpSayNothingWhereTheMuxerDoesItElsewhere) {
  feed.Watch(kVideo, PesEnds::Marks::kUnit);
  for (int i = 0; i < 4; ++i) Push(Picture(3000U * i));
  for (const std::size_t bytes : {182, 183}) {
    EXPECT_EQ(Push(Join({ts.Picture(12'000, std::string(170, 'p')), ts.Last(bytes)})),
              Before::kWhole);
    const std::size_t ended = Ends().size();
    EXPECT_EQ(Push(ts.Last(184 - bytes + 1)), Before::kWhole);
    EXPECT_EQ(Ends().size(), ended + 1);
  }
  ExpectUnbroken();
}

/// A stream that leaves every length out and fills up by what is needed.
class BarelyFilledTest : public DemuxFeedTest {
 protected:
  void SetUp() override {
    feed.Watch(kVideo, PesEnds::Marks::kUnit);
    for (int i = 0; i < 4; ++i) Push(Picture(3000U * i));
  }
  // The number of ends that a picture brings whose last packet holds so many bytes.
  std::size_t EndsOf(std::size_t bytes) {
    const std::size_t before = Ends().size();
    EXPECT_EQ(Push(Join({ts.Picture(12'000, std::string(170, 'p')), ts.Last(bytes)})),
              Before::kWhole);
    return Ends().size() - before;
  }
};

TEST_F(BarelyFilledTest, EndsAPictureOnceTheStreamHasShownThatItCanFillUpByOne) {
  for (const std::size_t bytes : {182, 181, 182, 183, 184}) EXPECT_EQ(EndsOf(bytes), 0U) << bytes;
  for (const std::size_t bytes : {181, 182, 183}) EXPECT_EQ(EndsOf(bytes), 1U) << bytes;
  ExpectUnbroken();
}

TEST_F(BarelyFilledTest, SaysNothingWhereNoLengthCouldHaveBeenWritten) {
  EndsOf(183);
  ASSERT_EQ(EndsOf(183), 1U);
  const std::size_t ended = Ends().size();
  std::string picture = ts.Picture(30'000, std::string(170, 'p'));
  for (int i = 0; i < 400; ++i) picture += ts.More();
  EXPECT_EQ(Push(picture + ts.Last(182)), Before::kWhole);
  EXPECT_EQ(Ends().size(), ended);
  EXPECT_EQ(Push(ts.Last(1)), Before::kWhole);
  EXPECT_EQ(Ends().size(), ended + 1);
  ExpectUnbroken();
}

TEST_F(BarelyFilledTest, IsNeverTrustedAgainWhereItWasNoEnd) {
  EndsOf(183);
  ASSERT_EQ(EndsOf(182), 1U);
  EXPECT_EQ(Push(Join({ts.Picture(30'000, std::string(170, 'p')), ts.Last(182)})), Before::kWhole);
  EXPECT_EQ(Push(ts.Last(1)), Before::kHole);
  for (int i = 0; i < 4; ++i) Push(Picture(60'000 + 3000U * i));
  for (const std::size_t bytes : {183, 183, 182}) EXPECT_EQ(EndsOf(bytes), 0U) << bytes;
  EXPECT_EQ(EndsOf(20), 1U);
}

TEST_F(BarelyFilledTest, AnotherMuxerHasToEarnTheTrustAgain) {
  EndsOf(183);
  ASSERT_EQ(EndsOf(182), 1U);
  feed.Restart();
  for (int i = 0; i < 4; ++i) Push(Picture(60'000 + 3000U * i));
  EXPECT_EQ(EndsOf(182), 0U);
}

TEST_F(DemuxFeedTest, APictureShorterThanItsLengthIsTornHoweverTheCountersGoOn) {
  feed.Watch(kVideo, PesEnds::Marks::kUnit);
  const auto with_length = [this](std::uint64_t pts) { return PictureWithLength(pts, 19); };
  EXPECT_EQ(Push(with_length(0)), Before::kWhole);
  EXPECT_EQ(Push(with_length(3000)), Before::kWhole);
  // Sixteen packets are lost, so the counters fit.
  std::string torn = with_length(6000);
  torn.resize(3 * kTsPacketBytes);
  EXPECT_EQ(Push(torn), Before::kWhole);
  const std::size_t before = out.size();
  EXPECT_EQ(Push(with_length(9000)), Before::kHole);
  // The mark, and the whole picture behind it.
  ASSERT_EQ(out.size(), before + 20 * kTsPacketBytes);
  EXPECT_TRUE(std::equal(PesEnds::kHoleMark.begin(), PesEnds::kHoleMark.end(),
                         out.begin() + static_cast<std::ptrdiff_t>(before + kTsPacketBytes -
                                                                   PesEnds::kHoleMark.size())));
  ExpectUnbroken();
  EXPECT_EQ(Push(with_length(12'000)), Before::kWhole);
}

TEST_F(DemuxFeedTest, WhatComesBehindTheLengthOfAPictureBelongsToALostOne) {
  feed.Watch(kVideo, PesEnds::Marks::kUnit);
  for (int i = 0; i < 2; ++i) Push(PictureWithLength(3000U * i, 19));
  Push(PictureWithLength(6000, 19));
  const std::size_t before = out.size();
  EXPECT_EQ(Push(ts.More()), Before::kHole);
  EXPECT_EQ(Push(Join({ts.More(), ts.Last()})), Before::kWhole);
  EXPECT_EQ(out.size(), before + kTsPacketBytes);  // the mark
  EXPECT_EQ(Push(PictureWithLength(9000, 19)), Before::kWhole);
  ExpectUnbroken();
}

TEST_F(DemuxFeedTest, LengthsThatWereRightAreNotDistrustedForALossBehindAHole) {
  feed.Watch(kVideo, PesEnds::Marks::kUnit);
  for (int i = 0; i < 3; ++i) Push(PictureWithLength(3000U * i, 19));
  feed.Restart();
  const auto torn = [this](std::uint64_t pts) {
    return PictureWithLength(pts, 19).substr(0, 3 * kTsPacketBytes);  // sixteen packets are lost
  };
  EXPECT_EQ(Push(torn(9000)), Before::kWhole);  // nothing is known behind the hole
  for (int i = 4; i < 7; ++i) EXPECT_EQ(Push(PictureWithLength(3000U * i, 19)), Before::kWhole);
  EXPECT_EQ(Push(torn(21'000)), Before::kWhole);
  EXPECT_EQ(Push(PictureWithLength(24'000, 19)), Before::kHole);
}

TEST_F(DemuxFeedTest, LengthsThatWereWrongOnceSayNothing) {
  feed.Watch(kVideo, PesEnds::Marks::kUnit);
  for (const std::size_t packets : {19, 20, 19, 19, 19, 20, 18, 19}) {
    EXPECT_EQ(Push(PictureWithLength(0, packets)), Before::kWhole);
  }
}

TEST_F(DemuxFeedTest, LengthsThatAreNeverRightSayNothing) {
  feed.Watch(kVideo, PesEnds::Marks::kUnit);
  for (int i = 0; i < 6; ++i) EXPECT_EQ(Push(PictureWithLength(3000U * i, 20)), Before::kWhole);
}

/// Behind a picture another muxer's follow, whose counters start anew.
class SeamTest : public DemuxFeedTest {
 protected:
  void SetUp() override { feed.Watch(kVideo, PesEnds::Marks::kUnit); }
  void StartMuxer() { ts = TsWriter(); }
};

TEST_F(SeamTest, TheLastPictureIsWholeThatShowsItsEnd) {
  Push(Picture(0));
  Push(Picture(3000));
  StartMuxer();
  EXPECT_EQ(Push(Picture(3000)), Before::kWhole);
  EXPECT_EQ(Count(PesEnds::kSeamMark), 1U);
  // Barely filled up, for all its muxer has shown.
  EXPECT_EQ(Push(Join({ts.Picture(6000, std::string(170, 'p')), ts.Last(182)})), Before::kWhole);
  StartMuxer();
  EXPECT_EQ(Push(Picture(9000)), Before::kWhole);
  EXPECT_EQ(Push(PictureWithLength(12'000, 19)), Before::kWhole);
  StartMuxer();
  EXPECT_EQ(Push(Picture(15'000)), Before::kWhole);
  EXPECT_EQ(Count(PesEnds::kSeamMark), 3U);
  EXPECT_EQ(Count(PesEnds::kHoleMark), 0U);
  ExpectUnbroken();
}

TEST_F(SeamTest, WhatHasNotComeToItsEndIsTorn) {
  Push(Join({Picture(0), ts.Picture(3000, std::string(170, 'p'))}));
  StartMuxer();
  EXPECT_EQ(Push(Picture(6000)), Before::kHole);
  Push(PictureWithLength(9000, 21));
  StartMuxer();
  EXPECT_EQ(Push(Picture(12'000)), Before::kHole);
  // Nothing begins at the jump.
  ts.More();
  EXPECT_EQ(Push(ts.More()), Before::kHole);
  EXPECT_EQ(Count(PesEnds::kSeamMark), 0U);
  EXPECT_EQ(Count(PesEnds::kHoleMark), 3U);
  ExpectUnbroken();
}

TEST_F(SeamTest, AFilledUpPacketIsNoEndWhereNoneWasBefore) {
  Push(Picture(0));
  StartMuxer();
  EXPECT_EQ(Push(Picture(3000)), Before::kHole);
}

TEST_F(SeamTest, AFilledUpPacketIsNoEndWhereItWasInTheMiddleOfAPicture) {
  Push(Join({Picture(0), Picture(3000)}));
  Push(Join({ts.Picture(0, std::string(170, 'p')), ts.Last(), ts.More(), ts.Last()}));
  StartMuxer();
  EXPECT_EQ(Push(Picture(3000)), Before::kHole);
}

TEST_F(SeamTest, MuxersThatAllEarnTheTrustHaveItFromTheThirdOn) {
  for (int muxer = 0; muxer < 2; ++muxer) {
    const std::size_t ended = Ends().size();
    for (int i = 0; i < 3; ++i) Push(Picture(3000U * i));
    EXPECT_EQ(Ends().size(), ended + 1) << muxer;
    StartMuxer();
  }
  const std::size_t before = Ends().size();
  for (int muxer = 0; muxer < 3; ++muxer) {
    for (int i = 0; i < 3; ++i) Push(Picture(3000U * i));
    StartMuxer();
  }
  EXPECT_EQ(Ends().size(), before + 9);
  const std::size_t ended = Ends().size();
  Push(Picture(0));
  EXPECT_EQ(Ends().size(), ended + 1);
  // This one did not earn it.
  StartMuxer();
  for (int i = 0; i < 2; ++i) Push(Picture(3000U * i));
  EXPECT_EQ(Ends().size(), ended + 1);
  Push(Picture(6000));
  EXPECT_EQ(Ends().size(), ended + 2);
  // A hole may have hidden a muxer of another kind.
  feed.Restart();
  Push(Picture(3000));
  EXPECT_EQ(Ends().size(), ended + 2);
  ExpectUnbroken();
}

TEST_F(DemuxFeedTest, ARepeatedPacketIsNoPartOfAnything) {
  feed.Watch(kVideo, PesEnds::Marks::kUnit);
  for (int i = 0; i < 4; ++i) Push(Picture(3000U * i));
  const std::string picture = Picture(12'000);
  EXPECT_EQ(Push(picture + picture.substr(picture.size() - kTsPacketBytes)), Before::kWhole);
  EXPECT_EQ(Ends().size(), 3U);
  EXPECT_EQ(Push(Picture(15'000)), Before::kWhole);
  EXPECT_EQ(Ends().size(), 4U);
  ExpectUnbroken();
}

TEST_F(DemuxFeedTest, AMissingPacketIsAHoleWhereItIsMissing) {
  feed.Watch(kVideo, PesEnds::Marks::kUnit);
  Push(Picture(0));
  const std::string whole = Picture(3000);
  std::string torn = Picture(6000);
  torn.erase(kTsPacketBytes, kTsPacketBytes);
  out.clear();
  const std::string bytes = whole + torn;
  EXPECT_EQ(feed.Push(std::as_bytes(std::span(bytes)), clock.Now(), out),
            (std::vector<std::size_t>{whole.size() + kTsPacketBytes}));
}

TEST_F(DemuxFeedTest, AHoleIsMarkedAndTheRestOfTheTornPictureLeftOut) {
  feed.Watch(kVideo, PesEnds::Marks::kUnit);
  Push(Picture(0));
  std::string torn = Picture(3000);
  torn.erase(kTsPacketBytes, kTsPacketBytes);
  const std::size_t before = out.size() + kTsPacketBytes;
  Push(torn + Picture(6000));
  // Its first packet, the mark, and the next picture.
  ASSERT_EQ(out.size(), before + kTsPacketBytes + Picture(0).size());
  EXPECT_TRUE(std::equal(PesEnds::kHoleMark.begin(), PesEnds::kHoleMark.end(),
                         out.begin() + static_cast<std::ptrdiff_t>(before + kTsPacketBytes -
                                                                   PesEnds::kHoleMark.size())));
  ExpectUnbroken();
}

TEST_F(DemuxFeedTest, WhereNoMarkIsUnderstoodTheCounterJumps) {
  feed.Watch(kVideo, PesEnds::Marks::kNone);
  for (int lost = 1; lost <= 16; ++lost) {
    Push(Picture(0));
    const std::size_t before = out.size();
    feed.Restart();
    for (int i = 0; i < lost; ++i) ts.More();
    Push(Picture(3000));
    TsContinuity continuity;
    continuity.Watch(kVideo);
    for (std::size_t at = before - kTsPacketBytes; at < out.size(); at += kTsPacketBytes) {
      TsPacket packet;
      std::copy_n(out.begin() + static_cast<std::ptrdiff_t>(at), packet.size(), packet.begin());
      EXPECT_EQ(continuity.Push(packet), at == before ? Continuity::kHole : Continuity::kNext);
      EXPECT_EQ(TsHeader(packet).starts_unit(), at == before + kTsPacketBytes);
    }
  }
}

TEST_F(DemuxFeedTest, ADamagedOrScrambledPacketIsAHoleToo) {
  feed.Watch(kVideo, PesEnds::Marks::kUnit);
  Push(Picture(0));
  for (const auto& [byte, bit] : {std::pair<std::size_t, char>{1, '\x80'}, {3, '\x80'}}) {
    std::string picture = Picture(3000);
    picture[kTsPacketBytes + byte] = static_cast<char>(picture[kTsPacketBytes + byte] | bit);
    EXPECT_EQ(Push(picture), Before::kHole);
    EXPECT_EQ(Push(Picture(6000)), Before::kWhole);
  }
}

TEST_F(DemuxFeedTest, ALostPacketDoesNotEndTheTrustForGood) {
  feed.Watch(kVideo, PesEnds::Marks::kUnit);
  for (int i = 0; i < 4; ++i) Push(Picture(3000U * i));
  const std::size_t ended = Ends().size();
  std::string picture = Picture(12'000);
  picture.erase(0, kTsPacketBytes);  // the packet that begins it
  EXPECT_EQ(Push(picture), Before::kHole);
  for (int i = 5; i < 9; ++i) EXPECT_EQ(Push(Picture(3000U * i)), Before::kWhole);
  EXPECT_EQ(Ends().size(), ended + 2);
}

TEST_F(DemuxFeedTest, AfterARestartNothingIsOpen) {
  feed.Watch(kVideo, PesEnds::Marks::kUnit);
  for (int i = 0; i < 4; ++i) Push(Picture(3000U * i));
  const std::size_t ended = Ends().size();
  Push(ts.Picture(12'000, std::string(170, 'p')) + std::string(100, 'G'));
  feed.Restart();
  EXPECT_EQ(Push(Join({ts.More(), ts.Last()})), Before::kWhole);  // of a picture that began before
  EXPECT_EQ(Ends().size(), ended);
  // Another muxer may have taken over: it has to earn the trust again.
  for (int i = 5; i < 8; ++i) Push(Picture(3000U * i));
  EXPECT_EQ(Ends().size(), ended + 1);
}

TEST_F(DemuxFeedTest, SurvivesAnything) {
  std::mt19937 random(7);
  feed.Watch(kVideo, PesEnds::Marks::kUnit);
  for (int i = 0; i < 300; ++i) {
    std::string picture = Picture(3000U * static_cast<unsigned>(i), static_cast<int>(random() % 4));
    for (int hits = static_cast<int>(random() % 4); hits > 0; --hits) {
      picture[random() % picture.size()] = static_cast<char>(random());
    }
    Push(picture);
    ASSERT_EQ(out.size() % kTsPacketBytes, 0U);
    ASSERT_LE(out.size(), 2 * picture.size());
    out.clear();
  }
}

}  // namespace
}  // namespace framelock::stream
