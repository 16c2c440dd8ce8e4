// SPDX-License-Identifier: Apache-2.0
#include "plugins/ts_segmenter.h"

#include <algorithm>

namespace framelock::plugins {
namespace {

constexpr std::uint16_t kAssociationPid = 0;
constexpr std::uint8_t kH264 = 0x1b;
constexpr std::uint8_t kH265 = 0x24;
constexpr std::chrono::nanoseconds kMinWithoutVideo = std::chrono::seconds(1);

using Bytes = std::span<const std::uint8_t>;

std::uint16_t PidAt(Bytes bytes) {
  return static_cast<std::uint16_t>((bytes[0] & 0x1f) << 8 | bytes[1]);
}

bool IsVideo(std::uint8_t stream_type) {
  switch (stream_type) {
    case 0x01:  // MPEG-1
    case 0x02:  // MPEG-2
    case 0x10:  // MPEG-4 part 2
    case kH264:
    case kH265:
    case 0x33:  // H.266
    case 0xea:  // VC-1
      return true;
    default:
      return false;
  }
}

// True for the first bytes of a PES packet.
bool IsPesStart(Bytes payload) {
  return payload.size() >= 9 && payload[0] == 0 && payload[1] == 0 && payload[2] == 1;
}

std::optional<std::uint64_t> PresentationTime(Bytes payload) {
  if (!IsPesStart(payload) || payload.size() < 14 || (payload[7] & 0x80) == 0) return std::nullopt;
  return static_cast<std::uint64_t>(payload[9] >> 1 & 7) << 30 |
         static_cast<std::uint64_t>(payload[10]) << 22 |
         static_cast<std::uint64_t>(payload[11] >> 1) << 15 |
         static_cast<std::uint64_t>(payload[12]) << 7 |
         static_cast<std::uint64_t>(payload[13] >> 1);
}

bool IsKeyframeUnit(std::uint8_t stream_type, std::uint8_t header) {
  if (stream_type == kH264) {
    const int type = header & 0x1f;
    return type == 5 || type == 7;  // IDR slice, or the SPS in front of it
  }
  const int type = header >> 1 & 0x3f;
  return (type >= 16 && type <= 21) || (type >= 32 && type <= 34);  // IRAP slices, VPS to PPS
}

// Not every muxer sets the random-access flag. The parameter sets are in the first packet, if
// anywhere.
bool StartsKeyframe(Bytes payload, std::uint8_t stream_type) {
  if (stream_type != kH264 && stream_type != kH265) return false;
  if (!IsPesStart(payload)) return false;
  for (std::size_t i = 9u + payload[8]; i + 3 < payload.size(); ++i) {
    if (payload[i] != 0 || payload[i + 1] != 0 || payload[i + 2] != 1) continue;
    if (IsKeyframeUnit(stream_type, payload[i + 3])) return true;
  }
  return false;
}

// The section that the packets carry, from its table id on; empty while it is incomplete.
template <typename Packets>
std::vector<std::uint8_t> WholeSection(const Packets& packets) {
  std::vector<std::uint8_t> section;
  for (const auto& packet : packets) {
    const Bytes payload = TsHeader(packet).payload();
    section.insert(section.end(), payload.begin(), payload.end());
  }
  if (section.empty() || section.size() < 1u + section[0] + 3) return {};
  section.erase(section.begin(), section.begin() + 1 + section[0]);  // the pointer field
  const std::size_t size = 3u + ((section[1] & 0x0f) << 8 | section[2]);
  if (section.size() < size) return {};
  section.resize(size);
  return section;
}

}  // namespace

std::vector<TsSegmenter::Chunk> TsSegmenter::Push(std::span<const std::byte> bytes) {
  std::vector<Chunk> out;
  reader_.Push(bytes, [&](const Packet& packet) { OnPacket(packet, out); });
  return out;
}

void TsSegmenter::OnPacket(const Packet& packet, std::vector<Chunk>& out) {
  const std::uint16_t pid = TsHeader(packet).pid();
  if (pid == kAssociationPid || tables_.contains(pid)) {
    OnTablePacket(pid, packet);
    held_.emplace_back(pid, packet);
    if (held_.size() < kMaxTablePackets) return;
  } else if (IsAccessPoint(pid, packet) && MayCut(packet)) {
    BeginSegment(out);
  }
  if (!begun_) {
    ++stats_.skipped_packets;
    held_.clear();
    return;
  }
  for (const auto& [table_pid, table_packet] : held_) {
    const auto table = tables_.find(table_pid);
    if (table != tables_.end()) WriteTable(table->second, table_packet, out);
  }
  held_.clear();
  if (!tables_.contains(pid)) Write(packet, out);
}

void TsSegmenter::OnTablePacket(std::uint16_t pid, const Packet& packet) {
  Table& table = tables_[pid];
  const bool starts = TsHeader(packet).starts_unit();
  if (starts) table.arriving.clear();
  if (table.arriving.empty() && !starts) return;
  if (table.arriving.size() >= kMaxTablePackets) return;
  table.arriving.push_back(packet);
  const std::vector<std::uint8_t> section = WholeSection(table.arriving);
  if (section.empty()) return;
  table.complete = std::move(table.arriving);
  table.arriving.clear();
  if (pid == kAssociationPid) {
    ParseAssociations(section);
  } else if (pid == map_pid_) {
    ParseMap(section);
  }
}

void TsSegmenter::ParseAssociations(Bytes section) {
  if (section[0] != 0x00) return;
  std::vector<std::uint16_t> pids;
  for (std::size_t i = 8; i + 4 + 4 <= section.size() && pids.size() < kMaxProgrammes; i += 4) {
    const bool is_network = section[i] == 0 && section[i + 1] == 0;
    const std::uint16_t pid = PidAt(section.subspan(i + 2));
    if (!is_network && pid != kAssociationPid) pids.push_back(pid);
  }
  std::erase_if(tables_, [&](const auto& entry) {
    return entry.first != kAssociationPid &&
           std::find(pids.begin(), pids.end(), entry.first) == pids.end();
  });
  for (const std::uint16_t pid : pids) tables_.try_emplace(pid);
  if (!pids.empty()) map_pid_ = pids.front();
}

void TsSegmenter::ParseMap(Bytes section) {
  if (section[0] != 0x02 || section.size() < 16) return;
  std::optional<std::uint16_t> first;
  std::size_t i = 12u + ((section[10] & 0x0f) << 8 | section[11]);
  while (i + 5 + 4 <= section.size()) {
    const std::uint8_t type = section[i];
    const std::uint16_t pid = PidAt(section.subspan(i + 1));
    if (IsVideo(type)) {
      access_pid_ = pid;
      access_type_ = type;
      access_is_video_ = true;
      return;
    }
    if (!first) first = pid;
    i += 5u + ((section[i + 3] & 0x0f) << 8 | section[i + 4]);
  }
  if (!first) return;
  access_pid_ = first;
  access_is_video_ = false;
}

bool TsSegmenter::IsAccessPoint(std::uint16_t pid, const Packet& packet) const {
  const TsHeader header(packet);
  if (pid != access_pid_ || !header.starts_unit()) return false;
  if (!access_is_video_) return true;
  return header.random_access() || StartsKeyframe(header.payload(), access_type_);
}

bool TsSegmenter::MayCut(const Packet& packet) {
  const auto pts = PresentationTime(TsHeader(packet).payload());
  auto minimum = options_.min_segment_duration;
  if (!access_is_video_) minimum = std::max(minimum, kMinWithoutVideo);
  if (begun_ && pts && cut_pts_) {
    constexpr std::uint64_t kWrap = std::uint64_t{1} << 33;
    const std::uint64_t ticks = (*pts - *cut_pts_) & (kWrap - 1);
    // Timestamps are rounded to ticks; a time that went back is a new timeline.
    const std::chrono::nanoseconds passed((ticks + 1) * 100000 / 9);
    if (ticks < kWrap / 2 && passed < minimum) return false;
  }
  cut_pts_ = pts;
  return true;
}

void TsSegmenter::BeginSegment(std::vector<Chunk>& out) {
  begun_ = true;
  ++stats_.segments;
  out.push_back({.starts_segment = true, .bytes = {}});
  for (auto& [pid, table] : tables_) {
    for (const Packet& packet : table.complete) WriteTable(table, packet, out);
  }
  held_.clear();
}

// Replayed tables would repeat continuity counters; so ours count for themselves.
void TsSegmenter::WriteTable(Table& table, Packet packet, std::vector<Chunk>& out) {
  packet[3] = static_cast<std::uint8_t>((packet[3] & 0xf0) | table.continuity);
  table.continuity = (table.continuity + 1) & 0x0f;
  Write(packet, out);
}

void TsSegmenter::Write(const Packet& packet, std::vector<Chunk>& out) {
  if (out.empty()) out.emplace_back();
  const Bytes bytes(packet);
  const auto* begin = reinterpret_cast<const std::byte*>(bytes.data());
  out.back().bytes.insert(out.back().bytes.end(), begin, begin + bytes.size());
}

}  // namespace framelock::plugins
