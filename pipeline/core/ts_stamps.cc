// SPDX-License-Identifier: Apache-2.0
#include "pipeline/core/ts_stamps.h"

#include <span>

namespace framelock {

namespace {

constexpr std::size_t kClockAt = 6;  // behind the adaptation field's length and flags
constexpr std::uint8_t kClockFlag = 0x10;
constexpr std::size_t kClockBytes = 7;  // flags and the clock
constexpr std::size_t kPesFlagsAt = 7;
constexpr std::size_t kPtsAt = 9;
constexpr std::size_t kDtsAt = 14;
constexpr std::size_t kStampBytes = 5;
constexpr std::uint8_t kPrivateStream = 0xBD;

bool CarriesTime(std::uint8_t stream_id) {
  return stream_id == kPrivateStream || stream_id == 0xFD ||
         (stream_id >= 0xC0 && stream_id <= 0xEF);
}

// Where the packet's PES header begins; nullopt without one that can hold a stamp.
std::optional<std::size_t> PesAt(const TsPacket& packet) {
  const TsHeader header(packet);
  if (!header.starts_unit() || !header.has_payload()) return std::nullopt;
  const std::size_t at = header.payload_offset();
  if (at + kPtsAt + kStampBytes > kTsPacketBytes) return std::nullopt;
  const std::uint8_t* pes = packet.data() + at;
  const bool starts = pes[0] == 0 && pes[1] == 0 && pes[2] == 1 && CarriesTime(pes[3]);
  // The two bits 10 in front of the flags tell this form of the header.
  if (!starts || (pes[6] & 0xC0) != 0x80) return std::nullopt;
  return at;
}

TsStamp ReadStamp(const std::uint8_t* bytes) {
  return TsStamp(std::uint64_t{bytes[0] & 0x0Eu} << 29 | std::uint64_t{bytes[1]} << 22 |
                 std::uint64_t{bytes[2] & 0xFEu} << 14 | std::uint64_t{bytes[3]} << 7 |
                 std::uint64_t{bytes[4]} >> 1);
}

// The marker bits around the 33 stay as they are.
void WriteStamp(std::uint8_t* bytes, TsStamp stamp) {
  const std::uint64_t ticks = stamp.ticks();
  bytes[0] = static_cast<std::uint8_t>((bytes[0] & 0xF1) | (ticks >> 29 & 0x0E));
  bytes[1] = static_cast<std::uint8_t>(ticks >> 22);
  bytes[2] = static_cast<std::uint8_t>((bytes[2] & 0x01) | (ticks >> 14 & 0xFE));
  bytes[3] = static_cast<std::uint8_t>(ticks >> 7);
  bytes[4] = static_cast<std::uint8_t>((bytes[4] & 0x01) | (ticks << 1 & 0xFE));
}

bool HasDts(const TsPacket& packet, std::size_t at) {
  return packet[at + kPesFlagsAt] >> 6 == 3 && at + kDtsAt + kStampBytes <= kTsPacketBytes;
}

bool HasPts(const TsPacket& packet, std::size_t at) {
  return (packet[at + kPesFlagsAt] & 0x80) != 0;
}

}  // namespace

std::optional<TsStamp> ProgramClock(const TsPacket& packet) {
  const auto field = TsHeader(packet).adaptation();
  if (field.size() < kClockBytes || (field[0] & kClockFlag) == 0) return std::nullopt;
  return TsStamp(std::uint64_t{field[1]} << 25 | std::uint64_t{field[2]} << 17 |
                 std::uint64_t{field[3]} << 9 | std::uint64_t{field[4]} << 1 |
                 std::uint64_t{field[5]} >> 7);
}

void SetProgramClock(TsPacket& packet, TsStamp clock) {
  const std::uint64_t ticks = clock.ticks();
  std::uint8_t* field = packet.data() + kClockAt;
  field[0] = static_cast<std::uint8_t>(ticks >> 25);
  field[1] = static_cast<std::uint8_t>(ticks >> 17);
  field[2] = static_cast<std::uint8_t>(ticks >> 9);
  field[3] = static_cast<std::uint8_t>(ticks >> 1);
  field[4] = static_cast<std::uint8_t>((field[4] & 0x7F) | (ticks << 7 & 0x80));
}

TsPacket ClockPacket(std::uint16_t pid, std::uint8_t continuity, TsStamp clock) {
  TsPacket packet;
  packet.fill(0xFF);
  packet[0] = kTsSyncByte;
  packet[1] = static_cast<std::uint8_t>(pid >> 8 & 0x1F);
  packet[2] = static_cast<std::uint8_t>(pid);
  packet[3] = static_cast<std::uint8_t>(0x20 | (continuity & 0x0F));
  packet[4] = kTsPacketBytes - 5;
  packet[5] = kClockFlag;
  packet[kClockAt + 4] = 0x7E;  // the reserved bits; the 27 MHz part is 0
  packet[kClockAt + 5] = 0;
  SetProgramClock(packet, clock);
  return packet;
}

std::optional<PesStamps> ReadPesStamps(const TsPacket& packet) {
  const std::optional<std::size_t> at = PesAt(packet);
  if (!at || !HasPts(packet, *at)) return std::nullopt;
  PesStamps stamps{
      .stream_id = packet[*at + 3], .pts = ReadStamp(&packet[*at + kPtsAt]), .dts = {}};
  if (HasDts(packet, *at)) stamps.dts = ReadStamp(&packet[*at + kDtsAt]);
  return stamps;
}

void MovePesStamps(TsPacket& packet, TsTicks by) {
  const std::optional<std::size_t> at = PesAt(packet);
  if (!at || !HasPts(packet, *at)) return;
  std::uint8_t* pts = &packet[*at + kPtsAt];
  WriteStamp(pts, ReadStamp(pts) + by);
  if (!HasDts(packet, *at)) return;
  std::uint8_t* dts = &packet[*at + kDtsAt];
  WriteStamp(dts, ReadStamp(dts) + by);
}

}  // namespace framelock
