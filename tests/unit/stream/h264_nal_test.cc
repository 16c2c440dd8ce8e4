// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stream/h264_nal.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace framelock::stream {
namespace {

using Bytes = std::vector<std::uint8_t>;
using Kind = H264Entry::Kind;

Bytes operator+(Bytes left, const Bytes& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

Bytes Nal(std::uint8_t type, Bytes body) { return Bytes{0, 0, 0, 1, type} + body; }
// first_mb_in_slice 0 (bit 1), then slice_type as ue(v).
Bytes Idr() { return Nal(5, {0b1000'1000, 0x80, 0x55}); }         // 0, 7: I
Bytes IntraSlice() { return Nal(1, {0b1000'1000, 0x80, 0x55}); }  // 0, 7
Bytes InterSlice() { return Nal(1, {0b1001'1000, 0x55, 0x55}); }  // 0, 5: P
Bytes LaterSlice() { return Nal(1, {0b0100'0110, 0x00, 0x55}); }  // 1, 5
Bytes Recovery(std::uint8_t count_bits) {
  return Nal(6, {5, 2, 0xAA, 0xBB, 6, 1, count_bits, 0x80});  // another message in front of it
}

TEST(EntryOf, KnowsWhereADecoderMayEnter) {
  EXPECT_EQ(EntryOf(Idr()).kind, Kind::kIdr);
  EXPECT_EQ(EntryOf(Nal(9, {0xF0}) + Nal(7, {0x64}) + Nal(8, {0xEE}) + Idr()).kind, Kind::kIdr);
  EXPECT_EQ(EntryOf(IntraSlice()).kind, Kind::kIntra);
  EXPECT_EQ(EntryOf(InterSlice()).kind, Kind::kNone);
  EXPECT_EQ(EntryOf(IntraSlice() + LaterSlice()).kind, Kind::kNone);
}

TEST(EntryOf, ReadsTheRecoveryPoint) {
  const H264Entry at_once = EntryOf(Recovery(0b1100'0000) + IntraSlice());
  EXPECT_EQ(at_once.kind, Kind::kRecovery);
  EXPECT_EQ(at_once.recovery_frames, 0U);
  const H264Entry later = EntryOf(Recovery(0b0001'1110) + InterSlice());  // 0001111: 14
  EXPECT_EQ(later.kind, Kind::kRecovery);
  EXPECT_EQ(later.recovery_frames, 14U);
}

TEST(EntryOf, AUnitWithoutItsBeginningIsNone) {
  EXPECT_EQ(EntryOf(Nal(5, {0b0100'1000, 0x80})).kind, Kind::kNone);  // macroblock 1 on
  EXPECT_EQ(EntryOf(LaterSlice()).kind, Kind::kNone);
  EXPECT_EQ(EntryOf({}).kind, Kind::kNone);
}

TEST(EntryOf, ReadsNothingBehindAnSeiMessagesNal) {
  // Cut off: the head of the next message would lie in the slice.
  EXPECT_EQ(EntryOf(Nal(6, {6}) + InterSlice()).kind, Kind::kNone);
  EXPECT_EQ(EntryOf(Nal(6, {0xFF, 0xFF}) + InterSlice()).kind, Kind::kNone);
}

TEST(EntryOf, TakesAnyBytes) {
  std::mt19937 random(5);
  for (int round = 0; round < 2000; ++round) {
    Bytes unit = Recovery(0b0001'1110) + Idr() + InterSlice();
    for (int hits = 0; hits < 4; ++hits) {
      unit[random() % unit.size()] = static_cast<std::uint8_t>(random());
    }
    unit.resize(random() % (unit.size() + 1));
    EntryOf(unit);
  }
}

}  // namespace
}  // namespace framelock::stream
