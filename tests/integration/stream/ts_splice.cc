// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/stream/ts_splice.h"

#include <algorithm>
#include <map>
#include <set>
#include <span>

#include "pipeline/core/ts_packet.h"

namespace framelock::stream {
namespace {

using Packet = std::span<std::uint8_t, kTsPacketBytes>;

template <typename OnPacket>
void ForEach(std::vector<std::uint8_t>& stream, OnPacket&& on_packet) {
  for (std::size_t at = 0; at + kTsPacketBytes <= stream.size(); at += kTsPacketBytes) {
    on_packet(Packet(stream.data() + at, kTsPacketBytes));
  }
}

std::uint32_t Crc(std::span<const std::uint8_t> bytes) {
  std::uint32_t crc = 0xffffffff;
  for (const std::uint8_t byte : bytes) {
    crc ^= std::uint32_t{byte} << 24;
    for (int bit = 0; bit < 8; ++bit) crc = crc << 1 ^ ((crc >> 31) != 0 ? 0x04c11db7U : 0);
  }
  return crc;
}

// The table's section, in one packet as small programmes have it.
std::span<std::uint8_t> Section(Packet packet) {
  const auto payload = packet.subspan(TsHeader(packet).payload_offset() + 1);
  return payload.first(3u + ((payload[1] & 0x0f) << 8 | payload[2]));
}

void MakeNewer(Packet packet) {
  const auto section = Section(packet);
  section[5] = static_cast<std::uint8_t>((section[5] & 0xc1) | ((section[5] + 2) & 0x3e));
  const std::uint32_t crc = Crc(section.first(section.size() - 4));
  for (std::size_t i = 0; i < 4; ++i) {
    section[section.size() - 4 + i] = static_cast<std::uint8_t>(crc >> (24 - 8 * i));
  }
}

constexpr std::uint64_t kModulus = std::uint64_t{1} << 33;

// The five bytes of a PTS or DTS.
void ShiftStamp(std::span<std::uint8_t> stamp, std::int64_t ticks) {
  const std::uint64_t before = (std::uint64_t{stamp[0]} >> 1 & 7) << 30 |
                               std::uint64_t{stamp[1]} << 22 | std::uint64_t{stamp[2]} >> 1 << 15 |
                               std::uint64_t{stamp[3]} << 7 | std::uint64_t{stamp[4]} >> 1;
  const std::uint64_t after = (before + static_cast<std::uint64_t>(ticks)) % kModulus;
  stamp[0] = static_cast<std::uint8_t>((stamp[0] & 0xf1) | (after >> 30 << 1));
  stamp[1] = static_cast<std::uint8_t>(after >> 22);
  stamp[2] = static_cast<std::uint8_t>(after >> 15 << 1 | 1);
  stamp[3] = static_cast<std::uint8_t>(after >> 7);
  stamp[4] = static_cast<std::uint8_t>(after << 1 | 1);
}

void ShiftClock(std::span<std::uint8_t> pcr, std::int64_t ticks) {
  const std::uint64_t before = std::uint64_t{pcr[0]} << 25 | std::uint64_t{pcr[1]} << 17 |
                               std::uint64_t{pcr[2]} << 9 | std::uint64_t{pcr[3]} << 1 |
                               std::uint64_t{pcr[4]} >> 7;
  const std::uint64_t after = (before + static_cast<std::uint64_t>(ticks)) % kModulus;
  for (std::size_t i = 0; i < 4; ++i) pcr[i] = static_cast<std::uint8_t>(after >> (25 - 8 * i));
  pcr[4] = static_cast<std::uint8_t>((pcr[4] & 0x7f) | (after & 1) << 7);
}

}  // namespace

std::vector<std::uint8_t> Splice(std::vector<std::uint8_t> first,
                                 std::vector<std::uint8_t> second) {
  std::map<std::uint16_t, std::uint8_t> counters;
  ForEach(first,
          [&](Packet packet) { counters[TsHeader(packet).pid()] = TsHeader(packet).continuity(); });
  std::set<std::uint16_t> maps;
  ForEach(second, [&](Packet packet) {
    const TsHeader header(packet);
    const std::uint16_t pid = header.pid();
    if (pid == 0) {
      const auto section = Section(packet);
      maps.insert(static_cast<std::uint16_t>((section[10] & 0x1f) << 8 | section[11]));
    } else if (maps.contains(pid)) {
      MakeNewer(packet);
    }
    const auto counter = counters.find(pid);
    if (counter == counters.end()) return;
    if (header.has_payload()) counter->second = (counter->second + 1) & 0x0f;
    packet[3] = static_cast<std::uint8_t>((packet[3] & 0xf0) | counter->second);
  });
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

void ShiftTimes(std::vector<std::uint8_t>& transport_stream, std::int64_t ticks) {
  ForEach(transport_stream, [&](Packet packet) {
    const TsHeader header(packet);
    const auto field = header.adaptation();
    if (field.size() >= 7 && (field[0] & 0x10) != 0) ShiftClock(packet.subspan(6, 6), ticks);
    const auto pes = packet.subspan(header.payload_offset());
    if (!header.starts_unit() || pes.size() < 19 || pes[0] != 0 || pes[1] != 0 || pes[2] != 1) {
      return;
    }
    if ((pes[7] & 0x80) != 0) ShiftStamp(pes.subspan(9, 5), ticks);
    if ((pes[7] & 0x40) != 0) ShiftStamp(pes.subspan(14, 5), ticks);
  });
}

}  // namespace framelock::stream
