// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stream/access_unit_cutter.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace framelock::stream {
namespace {

using Bytes = std::vector<std::uint8_t>;
using Pes = AccessUnitCutter::Pes;

Bytes operator+(Bytes left, const Bytes& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

Bytes Nal(std::uint8_t type, std::uint8_t second, std::size_t size = 20) {
  Bytes nal = {0, 0, 0, 1, type, second};
  nal.resize(nal.size() + size, 0xAB);
  return nal;
}
Bytes Delimiter() { return Nal(9, 0xF0, 0); }
Bytes Parameters() { return Nal(7, 0x64) + Nal(8, 0xEE); }
Bytes FirstSlice(std::size_t size = 20) { return Nal(1, 0x9A, size); }
Bytes NextSlice() { return Nal(1, 0x1A); }
Bytes Key() { return Delimiter() + Parameters() + Nal(5, 0x88); }
Bytes Picture() { return Delimiter() + FirstSlice(); }

class AccessUnitCutterTest : public testing::Test {
 protected:
  // All units that come out of these PES packets; the n-th has the time n.
  void Run(const std::vector<Bytes>& packets) {
    for (const Bytes& pes : packets) Push(pes);
    for (auto& unit : cutter.Finish()) units.push_back(std::move(unit));
  }
  Pes Push(const Bytes& pes) {
    const std::uint64_t time = pushed++;
    auto cut = cutter.Push(pes, {time, time});
    for (auto& unit : cut.units) units.push_back(std::move(unit));
    if (cut.pes == Pes::kUnit) units.push_back({pes, {time, time}});
    return cut.pes;
  }
  void Trust() {
    for (int i = 0; i < 4; ++i) Push(Picture());
    ASSERT_EQ(units.size(), 4U);
  }

  AccessUnitCutter cutter;
  std::vector<AccessUnitCutter::Unit> units;
  std::uint64_t pushed = 0;
};

TEST_F(AccessUnitCutterTest, OneUnitPerPesIsWholeOnceTheStreamHeldToIt) {
  EXPECT_EQ(Push(Key()), Pes::kKept);
  EXPECT_EQ(Push(Picture()), Pes::kKept);
  EXPECT_EQ(Push(FirstSlice() + NextSlice() + NextSlice()), Pes::kKept);
  EXPECT_EQ(units.size(), 2U);
  EXPECT_EQ(Push(Picture()), Pes::kUnit);
  EXPECT_EQ(Push(Key()), Pes::kUnit);
  ASSERT_EQ(units.size(), 5U);
  EXPECT_EQ(units[0].bytes, Key());
  EXPECT_EQ(units[2].bytes, FirstSlice() + NextSlice() + NextSlice());
  for (std::uint64_t i = 0; i < 5; ++i) EXPECT_EQ(units[i].times.pts, i);
}

TEST_F(AccessUnitCutterTest, AUnitIsWholeWhereTheNextOneBegins) {
  EXPECT_TRUE(cutter.Next().empty());
  Push(Key());
  auto whole = cutter.Next();
  ASSERT_EQ(whole.size(), 1U);
  EXPECT_EQ(whole[0].bytes, Key());
  EXPECT_EQ(whole[0].times.pts, 0U);
  // A parameter set begins one too, but a picture of its own is in no unit behind it.
  Push(Delimiter() + Parameters());
  EXPECT_TRUE(cutter.Next().empty());
  Push(FirstSlice());
  whole = cutter.Next();
  ASSERT_EQ(whole.size(), 1U);
  EXPECT_EQ(whole[0].bytes, Delimiter() + Parameters() + FirstSlice());
  EXPECT_TRUE(cutter.Next().empty());
  EXPECT_TRUE(cutter.Finish().empty());
}

TEST_F(AccessUnitCutterTest, AUnitMayBeSplitOverPesPackets) {
  Run({Delimiter() + Parameters(), Nal(5, 0x88), NextSlice(), Picture(), NextSlice(), NextSlice()});
  ASSERT_EQ(units.size(), 2U);
  EXPECT_EQ(units[0].bytes, Key() + NextSlice());
  EXPECT_EQ(units[0].times.pts, 0U);
  EXPECT_EQ(units[1].bytes, Picture() + NextSlice() + NextSlice());
  EXPECT_EQ(units[1].times.pts, 3U);
}

TEST_F(AccessUnitCutterTest, APesMayHoldSeveralUnits) {
  Run({Key() + Picture() + FirstSlice() + NextSlice(), Picture()});
  ASSERT_EQ(units.size(), 4U);
  EXPECT_EQ(units[0].bytes, Key());
  EXPECT_EQ(units[0].times.pts, 0U);
  EXPECT_EQ(units[1].bytes, Picture());
  EXPECT_EQ(units[1].times.pts, AccessUnitCutter::kNoTime);
  EXPECT_EQ(units[2].bytes, FirstSlice() + NextSlice());
  EXPECT_EQ(units[3].times.pts, 1U);
}

TEST_F(AccessUnitCutterTest, WhereItIsCutDoesNotMatterToTheUnits) {
  const std::vector<Bytes> pictures = {Key(),     Picture() + NextSlice(),      FirstSlice(300),
                                       Picture(), FirstSlice() + Nal(12, 0xFF), Key()};
  Bytes stream;
  for (const Bytes& picture : pictures) stream = stream + picture;
  std::mt19937 random(3);
  for (int round = 0; round < 300; ++round) {
    cutter = AccessUnitCutter();
    units.clear();
    std::vector<Bytes> packets;
    for (std::size_t at = 0; at < stream.size();) {
      // The first PES packet shows where the first unit begins.
      const std::size_t least = at == 0 ? 6 : 1;
      const std::size_t size = std::min<std::size_t>(least + random() % 60, stream.size() - at);
      const auto begin = stream.begin() + static_cast<std::ptrdiff_t>(at);
      packets.emplace_back(begin, begin + static_cast<std::ptrdiff_t>(size));
      at += size;
    }
    Run(packets);
    ASSERT_EQ(units.size(), pictures.size()) << round;
    for (std::size_t i = 0; i < units.size(); ++i) EXPECT_EQ(units[i].bytes, pictures[i]) << round;
  }
}

TEST_F(AccessUnitCutterTest, AUnitThatWasNotWholeIsToldAndNoneIsTrustedAgain) {
  Trust();
  EXPECT_EQ(Push(Picture()), Pes::kUnit);
  EXPECT_EQ(Push(NextSlice()), Pes::kTorn);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(Push(Picture()), Pes::kKept);
  EXPECT_EQ(units.back().bytes, Picture());
}

TEST_F(AccessUnitCutterTest, SeveralUnitsInAPesAreNotTornButEndTheTrust) {
  Trust();
  EXPECT_EQ(Push(Picture() + Picture()), Pes::kKept);
  EXPECT_EQ(Push(Picture()), Pes::kKept);
  Run({});
  EXPECT_EQ(units.size(), 7U);
}

TEST_F(AccessUnitCutterTest, ANearlyFullPesMayGoOn) {
  Trust();
  EXPECT_EQ(Push(FirstSlice(65'500)), Pes::kKept);
  EXPECT_EQ(Push(Bytes(20'000, 0xAB)), Pes::kKept);
  EXPECT_EQ(Push(Picture()), Pes::kUnit);
  ASSERT_EQ(units.size(), 6U);
  EXPECT_EQ(units[4].bytes.size(), FirstSlice(65'500).size() + 20'000);
  EXPECT_EQ(units[4].times.pts, 4U);
  // One that is longer has no such bound and is whole.
  EXPECT_EQ(Push(FirstSlice(70'000)), Pes::kUnit);
}

TEST_F(AccessUnitCutterTest, BehindAHoleTheRestOfAUnitIsLeftOutAndTheTrustIsEarnedAnew) {
  Trust();
  EXPECT_EQ(Push(Picture()), Pes::kUnit);
  cutter.Clear();
  units.clear();
  EXPECT_EQ(Push(NextSlice()), Pes::kKept);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Push(Picture()), Pes::kKept);
  EXPECT_EQ(Push(Picture()), Pes::kUnit);
  for (const auto& unit : units) EXPECT_EQ(unit.bytes, Picture());
}

TEST_F(AccessUnitCutterTest, AtASeamWhatIsKeptIsWhole) {
  Push(Key());
  Push(Picture());
  ASSERT_EQ(units.size(), 1U);
  for (auto& unit : cutter.Seam()) units.push_back(std::move(unit));
  ASSERT_EQ(units.size(), 2U);
  EXPECT_EQ(units[1].bytes, Picture());
  EXPECT_EQ(Push(NextSlice()), Pes::kKept);  // of a unit whose beginning is not there
  EXPECT_EQ(Push(Key()), Pes::kKept);
  Run({});
  ASSERT_EQ(units.size(), 3U);
  EXPECT_EQ(units[2].bytes, Key());
}

TEST_F(AccessUnitCutterTest, AtASeamNothingIsWholeThatMayGoOnInTheNextPes) {
  Push(Key());
  EXPECT_TRUE(cutter.Seam().empty());  // nothing is known yet
  Trust();
  Push(FirstSlice(65'500));  // cut there
  EXPECT_TRUE(cutter.Seam().empty());
  units.clear();
  Trust();
  Push(FirstSlice(30'000));  // much larger than those before
  EXPECT_TRUE(cutter.Seam().empty());
  Run({Picture(), NextSlice(), Picture()});
  Push(Picture());
  EXPECT_TRUE(cutter.Seam().empty());  // units are split here
}

TEST_F(AccessUnitCutterTest, MuxersThatAllEarnTheTrustHaveItFromTheThirdOn) {
  for (int muxer = 0; muxer < 2; ++muxer) {
    for (int i = 0; i < 3; ++i) EXPECT_EQ(Push(Picture()), Pes::kKept);
    EXPECT_EQ(Push(Picture()), Pes::kUnit);
    cutter.Seam();
  }
  for (int muxer = 0; muxer < 3; ++muxer) {
    for (int i = 0; i < 3; ++i) EXPECT_EQ(Push(Picture()), Pes::kUnit);
    cutter.Seam();
  }
  EXPECT_EQ(Push(Picture()), Pes::kUnit);
  cutter.Seam();  // this one did not earn it
  EXPECT_EQ(Push(Picture()), Pes::kKept);
}

TEST_F(AccessUnitCutterTest, NothingIsLeftBehindASeam) {
  for (int muxer = 0; muxer < 3; ++muxer) {
    for (int i = 0; i < 4; ++i) Push(Picture());
    if (muxer < 2) cutter.Seam();
  }
  Push(FirstSlice(65'500));
  cutter.Seam();
  EXPECT_EQ(Push(FirstSlice(40'000)), Pes::kKept);  // no unit of that size was whole
  units.clear();
  Run({Picture() + Picture() + Picture(), Picture()});
  EXPECT_EQ(units.size(), 5U);
}

TEST_F(AccessUnitCutterTest, AStreamMayBeJoinedInTheMiddleOfAUnit) {
  Push(NextSlice());
  Trust();
}

TEST_F(AccessUnitCutterTest, AMuchLargerUnitIsNotTakenForWholeBeforeOneWas) {
  Trust();
  // Half a keyframe, from a muxer that cuts only large ones.
  EXPECT_EQ(Push(FirstSlice(30'000)), Pes::kKept);
  EXPECT_EQ(Push(Bytes(20'000, 0xAB)), Pes::kKept);
  EXPECT_EQ(Push(Picture()), Pes::kKept);
  ASSERT_EQ(units.size(), 5U);
  EXPECT_EQ(units.back().bytes, FirstSlice(30'000) + Bytes(20'000, 0xAB));
}

TEST_F(AccessUnitCutterTest, LargerUnitsAreBelievedOnceOneWasWhole) {
  Trust();
  EXPECT_EQ(Push(FirstSlice(30'000)), Pes::kKept);
  EXPECT_EQ(Push(Picture()), Pes::kUnit);
  EXPECT_EQ(Push(FirstSlice(40'000)), Pes::kUnit);
}

TEST_F(AccessUnitCutterTest, ThousandsOfUnitsInAPesTakeNoMoreMemoryThanTheirBytes) {
  Bytes pes;
  for (int i = 0; i < 50'000; ++i) pes.insert(pes.end(), {0, 0, 1, 0x65, 0x80});
  Push(pes);
  std::size_t held = 0;
  for (const auto& unit : units) held += unit.bytes.capacity();
  EXPECT_LE(units.size(), AccessUnitCutter::kMaxUnits);
  EXPECT_LE(held, pes.size());
}

TEST_F(AccessUnitCutterTest, AnEndlessUnitGoesOnInParts) {
  const Bytes part(1u << 20, 0xAB);
  Push(FirstSlice());
  for (std::size_t i = 0; i < 20; ++i) Push(part);
  ASSERT_GE(units.size(), 2U);
  for (const auto& unit : units) {
    EXPECT_LE(unit.bytes.size(), AccessUnitCutter::kMaxBytes + part.size());
  }
}

}  // namespace
}  // namespace framelock::stream
