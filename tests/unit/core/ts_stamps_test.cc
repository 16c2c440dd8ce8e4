// SPDX-License-Identifier: Apache-2.0
#include "pipeline/core/ts_stamps.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "tests/support/ts_writer.h"

namespace framelock {
namespace {

using std::chrono::hours;

TsPacket ToPacket(const std::string& text) {
  TsPacket packet;
  EXPECT_EQ(text.size(), packet.size());
  std::copy(text.begin(), text.end(), packet.begin());
  return packet;
}

TEST(TsStamp, GoesTheShorterWayRoundTheWrap) {
  const TsStamp before(TsStamp::kRange - 100);
  const TsStamp after(200);
  EXPECT_EQ(after - before, TsTicks(300));
  EXPECT_EQ(before - after, TsTicks(-300));
  EXPECT_EQ(before + TsTicks(300), after);
  EXPECT_EQ(after + TsTicks(-300), before);
  EXPECT_EQ(TsStamp(TsStamp::kRange + 7).ticks(), 7u);
  EXPECT_EQ(TsStamp(TsTicks(-1)).ticks(), TsStamp::kRange - 1);
  EXPECT_EQ(TsStamp(0) + TsTicks(hours(27)) - TsStamp(0),
            TsTicks(hours(27)) - TsTicks(TsStamp::kRange));
}

TEST(TsStamps, AreReadAndMoved) {
  test::TsWriter writer;
  for (const std::uint64_t pts :
       {std::uint64_t{0}, std::uint64_t{0x1'2345'6789}, TsStamp::kRange - 1}) {
    const std::uint64_t dts = TsStamp(TsStamp(pts) + TsTicks(-6000)).ticks();
    TsPacket packet = ToPacket(writer.Timed({.pts = pts, .dts = dts, .pcr = pts}));
    const TsPacket original = packet;
    auto stamps = ReadPesStamps(packet);
    ASSERT_TRUE(stamps);
    EXPECT_TRUE(stamps->is_video());
    EXPECT_EQ(stamps->pts, TsStamp(pts));
    EXPECT_EQ(stamps->decode_time(), TsStamp(dts));
    EXPECT_EQ(ProgramClock(packet), TsStamp(pts));

    MovePesStamps(packet, hours(5));
    stamps = ReadPesStamps(packet);
    ASSERT_TRUE(stamps);
    EXPECT_EQ(stamps->pts, TsStamp(pts) + hours(5));
    EXPECT_EQ(stamps->dts, TsStamp(dts) + hours(5));
    EXPECT_EQ(ProgramClock(packet), TsStamp(pts));

    SetProgramClock(packet, TsStamp(pts) + hours(-5));
    EXPECT_EQ(ProgramClock(packet), TsStamp(pts) + hours(-5));
    SetProgramClock(packet, TsStamp(pts));
    MovePesStamps(packet, hours(-5));
    EXPECT_EQ(packet, original);  // nothing beside the stamps was touched
  }
}

TEST(TsStamps, AreNotSeenWhereThereAreNone) {
  test::TsWriter writer;
  EXPECT_FALSE(ReadPesStamps(ToPacket(writer.More())));
  EXPECT_FALSE(ReadPesStamps(ToPacket(writer.Pat())));
  EXPECT_FALSE(ReadPesStamps(ToPacket(writer.Pmt())));
  EXPECT_FALSE(ProgramClock(ToPacket(writer.Key(0))));
  // A header without a pts, and one that is cut off by the packet's end.
  TsPacket packet = ToPacket(writer.Timed({.pts = 5, .dts = {}, .pcr = {}}));
  packet[kTsPacketBytes - 14 + 7] = 0;
  EXPECT_FALSE(ReadPesStamps(packet));
  packet = ToPacket(writer.Timed({.pts = 5, .dts = {}, .pcr = {}}));
  packet[4] += 1;
  EXPECT_FALSE(ReadPesStamps(packet));
  // A programme clock in an adaptation field that is too short for it.
  packet = ToPacket(writer.Timed({.pts = {}, .dts = {}, .pcr = 5}));
  packet[4] = 6;
  EXPECT_FALSE(ProgramClock(packet));
}

TEST(TsStamps, AClockPacketCarriesItsClockAndNothingElse) {
  const TsPacket packet = ClockPacket(0x1FFE, 11, TsStamp(0x1'2345'6789));
  const TsHeader header(packet);
  EXPECT_EQ(packet[0], kTsSyncByte);
  EXPECT_EQ(header.pid(), 0x1FFE);
  EXPECT_EQ(header.continuity(), 11);
  EXPECT_FALSE(header.starts_unit());
  EXPECT_FALSE(header.has_payload());
  EXPECT_EQ(ProgramClock(packet), TsStamp(0x1'2345'6789));
}

}  // namespace
}  // namespace framelock
