// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/stream/ts_tracks.h"

#include <algorithm>
#include <optional>
#include <span>

#include "pipeline/core/ts_packet.h"

namespace framelock::stream {
namespace {

using Bytes = std::span<const std::uint8_t>;

int Short(Bytes bytes, std::size_t at) { return bytes[at] << 8 | bytes[at + 1]; }

class Reader {
 public:
  void OnPacket(const TsPacket& packet) {
    const TsHeader header(packet);
    const Bytes payload = header.payload();
    const std::uint16_t pid = header.pid();
    if (pid == 0 && header.starts_unit()) {
      map_pid_ = static_cast<std::uint16_t>(Short(payload, 1 + 10) & 0x1fff);
    } else if (pid == map_pid_ && header.starts_unit()) {
      OnMap(payload.subspan(1));
    } else if (keys_.contains(pid)) {
      OnTrack(pid, header);
    }
    ++packet_;
  }

  TsProgramme Take() { return std::move(programme_); }

 private:
  void OnMap(Bytes section) {
    const auto end = static_cast<std::size_t>(3 + (Short(section, 1) & 0xfff) - 4);
    std::vector<std::uint16_t> pids;
    std::size_t at = 12 + static_cast<std::size_t>(Short(section, 10) & 0xfff);
    while (at + 5 <= end) {
      const auto pid = static_cast<std::uint16_t>(Short(section, at + 1) & 0x1fff);
      keys_[pid] = {pid, section[at]};
      programme_.tracks[keys_[pid]];
      pids.push_back(pid);
      at += 5 + static_cast<std::size_t>(Short(section, at + 3) & 0xfff);
    }
    if (programme_.maps.empty() || programme_.maps.back() != pids) programme_.maps.push_back(pids);
  }

  void OnTrack(std::uint16_t pid, const TsHeader& header) {
    TsTrack& track = programme_.tracks[keys_[pid]];
    const auto [counter, first] = counters_.try_emplace(pid, header.continuity());
    if (header.has_payload()) {
      if (!first && ((counter->second + 1) & 0x0f) != header.continuity()) ++track.holes;
      counter->second = header.continuity();
    }
    Bytes payload = header.payload();
    if (header.starts_unit() && payload.size() >= 14) {
      track.units.push_back({.pts = Pts(payload), .packet = packet_, .bytes = {}});
      payload = payload.subspan(std::min<std::size_t>(payload.size(), 9u + payload[8]));
    }
    if (track.units.empty()) return;
    auto& bytes = track.units.back().bytes;
    bytes.insert(bytes.end(), payload.begin(), payload.end());
  }

  static std::int64_t Pts(Bytes pes) {
    return std::int64_t{pes[9] >> 1 & 7} << 30 | Short(pes, 10) >> 1 << 15 | Short(pes, 12) >> 1;
  }

  TsProgramme programme_;
  std::optional<std::uint16_t> map_pid_;
  std::map<std::uint16_t, TsProgramme::Key> keys_;  // of the newest map
  std::map<std::uint16_t, std::uint8_t> counters_;
  std::size_t packet_ = 0;
};

}  // namespace

const TsTrack* TsProgramme::Find(std::uint8_t stream_type) const {
  const auto found = std::find_if(tracks.begin(), tracks.end(), [&](const auto& entry) {
    return entry.first.second == stream_type;
  });
  return found == tracks.end() ? nullptr : &found->second;
}

TsProgramme ReadProgramme(const std::vector<std::uint8_t>& transport_stream) {
  Reader reader;
  TsPacketReader packets;
  packets.Push(std::as_bytes(std::span(transport_stream)),
               [&](const TsPacket& packet) { reader.OnPacket(packet); });
  return reader.Take();
}

}  // namespace framelock::stream
