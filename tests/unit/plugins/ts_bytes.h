// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <vector>

#include "pipeline/core/ts_packet.h"

namespace framelock::testing {

/// Writes a transport stream packet by packet, as a muxer would.
class TsWriter {
 public:
  struct Stream {
    std::uint8_t type;
    std::uint16_t pid;
  };
  struct Picture {
    std::uint64_t pts = 0;
    bool random_access = false;
    std::vector<std::uint8_t> payload = {0, 0, 1, 9, 0xf0};
    std::optional<std::uint64_t> pcr;
  };
  static constexpr std::uint16_t kMapPid = 0x100;

  TsPacket Associations() {
    return Section(0, {0x00, 0xb0, 13, 0, 1, 0xc1, 0, 0, 0, 1, 0xe1, 0x00, 1, 2, 3, 4});
  }
  TsPacket Map(std::initializer_list<Stream> streams) {
    std::vector<std::uint8_t> section = {
        0x02, 0xb0, static_cast<std::uint8_t>(13 + 5 * streams.size()),
        0,    1,    0xc1,
        0,    0,    0xe1,
        0x01, 0xf0, 0x00};
    for (const Stream& stream : streams) {
      section.insert(section.end(), {stream.type, static_cast<std::uint8_t>(0xe0 | stream.pid >> 8),
                                     static_cast<std::uint8_t>(stream.pid), 0xf0, 0});
    }
    section.insert(section.end(), {1, 2, 3, 4});
    return Section(kMapPid, section);
  }
  /// The first packet of a picture's PES packet.
  TsPacket Start(std::uint16_t pid, const Picture& picture) {
    std::vector<std::uint8_t> pes = {0, 0, 1, 0xe0, 0, 0, 0x80, 0x80, 5};
    const std::uint64_t t = picture.pts;
    pes.insert(pes.end(),
               {static_cast<std::uint8_t>(0x21 | (t >> 29 & 0x0e)),
                static_cast<std::uint8_t>(t >> 22), static_cast<std::uint8_t>(1 | (t >> 14 & 0xfe)),
                static_cast<std::uint8_t>(t >> 7), static_cast<std::uint8_t>(1 | (t << 1 & 0xfe))});
    pes.insert(pes.end(), picture.payload.begin(), picture.payload.end());
    std::vector<std::uint8_t> field = {static_cast<std::uint8_t>(picture.random_access ? 0x40 : 0)};
    if (picture.pcr) {
      const std::uint64_t c = *picture.pcr;
      field[0] |= 0x10;
      field.insert(field.end(),
                   {static_cast<std::uint8_t>(c >> 25), static_cast<std::uint8_t>(c >> 17),
                    static_cast<std::uint8_t>(c >> 9), static_cast<std::uint8_t>(c >> 1),
                    static_cast<std::uint8_t>(c << 7 | 0x7e), 0});
    }
    return Packet(pid, true, field, pes);
  }
  /// A packet in the middle of one.
  TsPacket Rest(std::uint16_t pid) { return Packet(pid, false, {0}, {0xaa}); }

 private:
  TsPacket Section(std::uint16_t pid, std::vector<std::uint8_t> section) {
    section.insert(section.begin(), 0);  // pointer field
    TsPacket packet;
    packet.fill(0xff);
    Head(packet, pid, true, 0x10);
    std::copy(section.begin(), section.end(), packet.begin() + 4);
    return packet;
  }
  TsPacket Packet(std::uint16_t pid, bool start, const std::vector<std::uint8_t>& field,
                  const std::vector<std::uint8_t>& payload) {
    TsPacket packet;
    packet.fill(0xff);
    Head(packet, pid, start, 0x30);
    packet[4] = static_cast<std::uint8_t>(kTsPacketBytes - 5 - payload.size());
    std::copy(field.begin(), field.end(), packet.begin() + 5);
    std::copy(payload.begin(), payload.end(),
              packet.end() - static_cast<std::ptrdiff_t>(payload.size()));
    return packet;
  }
  void Head(TsPacket& packet, std::uint16_t pid, bool start, std::uint8_t control) {
    packet[0] = 0x47;
    packet[1] = static_cast<std::uint8_t>((start ? 0x40 : 0) | pid >> 8);
    packet[2] = static_cast<std::uint8_t>(pid);
    packet[3] = static_cast<std::uint8_t>(control | continuity_[pid]++ % 16);
  }
  std::map<std::uint16_t, unsigned> continuity_;
};

}  // namespace framelock::testing
