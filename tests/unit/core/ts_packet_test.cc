// SPDX-License-Identifier: Apache-2.0
#include "pipeline/core/ts_packet.h"

#include <gtest/gtest.h>

namespace framelock {
namespace {

// A packet of the given first bytes; the rest counts up.
TsPacket Packet(std::initializer_list<std::uint8_t> head) {
  TsPacket packet;
  for (std::size_t i = 0; i < packet.size(); ++i) packet[i] = static_cast<std::uint8_t>(i);
  std::copy(head.begin(), head.end(), packet.begin());
  return packet;
}

TEST(TsHeader, PayloadOnly) {
  const TsPacket packet = Packet({0x47, 0x5F, 0xAB, 0x17});
  const TsHeader header(packet);
  EXPECT_EQ(header.pid(), 0x1FABu);
  EXPECT_TRUE(header.starts_unit());
  EXPECT_EQ(header.continuity(), 7u);
  EXPECT_TRUE(header.adaptation().empty());
  EXPECT_FALSE(header.random_access());
  EXPECT_FALSE(header.discontinuity());
  ASSERT_EQ(header.payload().size(), 184u);
  EXPECT_EQ(header.payload().front(), 4);
}

TEST(TsHeader, AdaptationField) {
  const TsPacket packet = Packet({0x47, 0x01, 0x00, 0x3F, 3, 0x40});
  const TsHeader header(packet);
  EXPECT_FALSE(header.starts_unit());
  EXPECT_EQ(header.pid(), 256u);
  EXPECT_EQ(header.continuity(), 15u);
  EXPECT_EQ(header.adaptation().size(), 3u);
  EXPECT_TRUE(header.random_access());
  EXPECT_FALSE(header.discontinuity());
  EXPECT_EQ(header.payload().front(), 8);
  EXPECT_TRUE(TsHeader(Packet({0x47, 0, 0, 0x30, 1, 0x80})).discontinuity());
}

TEST(TsHeader, FlagsOfAnAbsentOrEmptyFieldAreNone) {
  const TsPacket absent = Packet({0x47, 0, 0, 0x10, 3, 0xFF});
  EXPECT_FALSE(TsHeader(absent).random_access());
  const TsPacket empty = Packet({0x47, 0, 0, 0x30, 0, 0xFF});
  EXPECT_FALSE(TsHeader(empty).random_access());
  EXPECT_FALSE(TsHeader(empty).discontinuity());
  EXPECT_EQ(TsHeader(empty).payload().size(), 183u);
}

TEST(TsHeader, LengthsThatLieEndWithThePacket) {
  const TsPacket lie = Packet({0x47, 0, 0, 0x30, 255, 0x40});
  EXPECT_EQ(TsHeader(lie).adaptation().size(), 183u);
  EXPECT_TRUE(TsHeader(lie).payload().empty());
  const TsPacket nothing = Packet({0x47, 0, 0, 0x00});
  EXPECT_FALSE(TsHeader(nothing).has_payload());
  EXPECT_TRUE(TsHeader(nothing).payload().empty());
}

TEST(TsPacketReader, FindsPacketsHoweverTheyAreCut) {
  std::vector<std::uint8_t> stream = {1, 2, 3};
  for (std::uint8_t i = 0; i < 3; ++i) {
    const TsPacket packet = Packet({0x47, 0, i, 0x10});
    stream.insert(stream.end(), packet.begin(), packet.end());
  }
  for (std::size_t step = 1; step <= stream.size(); ++step) {
    TsPacketReader reader;
    std::vector<int> pids;
    for (std::size_t at = 0; at < stream.size(); at += step) {
      const std::size_t size = std::min(step, stream.size() - at);
      reader.Push(std::as_bytes(std::span(stream).subspan(at, size)),
                  [&](const TsPacket& packet) { pids.push_back(TsHeader(packet).pid()); });
    }
    EXPECT_EQ(pids, (std::vector<int>{0, 1, 2})) << step;
    EXPECT_EQ(reader.skipped_bytes(), 3u);
  }
}

TEST(TsPacketReader, ClearForgetsABeginning) {
  const TsPacket packet = Packet({0x47, 0, 9, 0x10});
  TsPacketReader reader;
  int packets = 0;
  const auto count = [&](const TsPacket&) { ++packets; };
  reader.Push(std::as_bytes(std::span(packet)).first(100), count);
  reader.Clear();
  reader.Push(std::as_bytes(std::span(packet)), count);
  EXPECT_EQ(packets, 1);
  EXPECT_EQ(reader.skipped_bytes(), 0u);
}

}  // namespace
}  // namespace framelock
