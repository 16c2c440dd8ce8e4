// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <vector>

#include "pipeline/core/ts_stamps.h"

namespace framelock::test {

using TsBytes = std::vector<std::uint8_t>;

/// Calls edit(packet, unit) for each packet of a whole transport stream; `unit` counts the video's
/// PES packets from 0 and says which one the packet belongs to, or comes just before (-1 at first).
inline TsBytes EditPackets(TsBytes stream, const std::function<void(TsPacket&, int)>& edit) {
  int unit = -1;
  for (std::size_t at = 0; at + kTsPacketBytes <= stream.size(); at += kTsPacketBytes) {
    TsPacket packet;
    const auto begin = stream.begin() + static_cast<std::ptrdiff_t>(at);
    std::copy_n(begin, packet.size(), packet.begin());
    if (const auto stamps = ReadPesStamps(packet); stamps && stamps->is_video()) ++unit;
    edit(packet, unit);
    std::copy(packet.begin(), packet.end(), begin);
  }
  return stream;
}

/// Moves all times of unit k by shift(k).
inline TsBytes Restamp(TsBytes stream, const std::function<TsTicks(int)>& shift) {
  return EditPackets(std::move(stream), [&](TsPacket& packet, int unit) {
    const TsTicks by = shift(unit < 0 ? 0 : unit);
    MovePesStamps(packet, by);
    if (const auto clock = ProgramClock(packet)) SetProgramClock(packet, *clock + by);
  });
}

/// Takes the times out of the PES packets that is_bare(unit) names.
inline TsBytes StripPts(TsBytes stream, const std::function<bool(int)>& is_bare) {
  return EditPackets(std::move(stream), [&](TsPacket& packet, int unit) {
    if (!ReadPesStamps(packet) || !is_bare(unit)) return;
    packet[TsHeader(packet).payload_offset() + 7] &= 0x3F;  // the stamps' bytes are stuffing now
  });
}

/// One stream of several, as one muxer would have written it: the continuity counters go on.
inline TsBytes Splice(const std::vector<TsBytes>& parts) {
  TsBytes whole;
  for (const TsBytes& part : parts) whole.insert(whole.end(), part.begin(), part.end());
  std::map<std::uint16_t, std::uint8_t> counters;
  return EditPackets(std::move(whole), [&](TsPacket& packet, int /*unit*/) {
    const TsHeader header(packet);
    std::uint8_t& counter = counters[header.pid()];
    if (header.has_payload()) ++counter;
    packet[3] = static_cast<std::uint8_t>((packet[3] & 0xF0) | (counter & 0x0F));
  });
}

}  // namespace framelock::test
