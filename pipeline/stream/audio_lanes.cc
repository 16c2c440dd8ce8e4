// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stream/audio_lanes.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace framelock::stream {

namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::uint16_t kUsualFirstLane = 0x1fe0;
constexpr std::uint8_t kPrivateData = 0x06;  // its descriptors tell
constexpr std::size_t kCrcBytes = 4;
constexpr std::size_t kSectionAt = 5;  // behind the packet's head and the pointer field
constexpr std::size_t kMapHead = 12;   // up to the programme's descriptors
constexpr std::size_t kEntryHead = 5;

constexpr std::uint8_t kRegistration = 0x05;
constexpr std::uint8_t kDvbAc3 = 0x6a;
constexpr std::uint8_t kDvbEac3 = 0x7a;
constexpr std::uint8_t kDvbDts = 0x7b;
constexpr std::uint8_t kExtension = 0x7f;
constexpr std::uint8_t kOpusExtension = 0x80;

struct Lane {
  std::uint8_t type;
  std::array<std::uint8_t, 10> descriptors;
  std::uint8_t size;  // of them
};

enum LaneNumber : std::uint16_t { kAdts, kLatm, kMpeg, kAc3, kEac3, kDts, kOpusMono, kOpusStereo };

// By LaneNumber.
constexpr std::array<Lane, 8> kLanes = {{
    {0x0f, {}, 0},
    {0x11, {}, 0},
    {0x03, {}, 0},
    {kPrivateData, {kDvbAc3, 1, 0}, 3},
    {kPrivateData, {kDvbEac3, 1, 0}, 3},
    {kPrivateData, {kDvbDts, 5, 0, 0, 0, 0, 0}, 7},
    {kPrivateData, {kRegistration, 4, 'O', 'p', 'u', 's', kExtension, 2, kOpusExtension, 1}, 10},
    {kPrivateData, {kRegistration, 4, 'O', 'p', 'u', 's', kExtension, 2, kOpusExtension, 2}, 10},
}};

int Short(Bytes bytes, std::size_t at) { return bytes[at] << 8 | bytes[at + 1]; }
std::size_t Length(Bytes bytes, std::size_t at) {
  return static_cast<std::size_t>(Short(bytes, at) & 0x0fff);
}
std::uint16_t PidAt(Bytes bytes, std::size_t at) {
  return static_cast<std::uint16_t>(Short(bytes, at) & 0x1fff);
}

std::uint32_t Crc(Bytes bytes) {
  std::uint32_t crc = 0xffffffff;
  for (const std::uint8_t byte : bytes) {
    crc ^= std::uint32_t{byte} << 24;
    for (int bit = 0; bit < 8; ++bit) crc = crc << 1 ^ ((crc >> 31) != 0 ? 0x04c11db7U : 0);
  }
  return crc;
}

// The section that begins in this packet, from its table id on, if all of it is in here.
Bytes WholeSection(const TsPacket& packet) {
  const TsHeader header{std::span(packet)};
  const Bytes payload = header.payload();
  if (!header.starts_unit() || payload.size() < 4 || payload[0] != 0) return {};
  const Bytes section = payload.subspan(1);
  const std::size_t size = 3 + Length(section, 1);
  return size <= section.size() && size >= kMapHead + kCrcBytes ? section.first(size) : Bytes{};
}

template <typename OnDescriptor>
void ForEachDescriptor(Bytes bytes, OnDescriptor&& on_descriptor) {
  for (std::size_t at = 0; at + 2 <= bytes.size();) {
    const std::size_t size = bytes[at + 1];
    if (at + 2 + size > bytes.size()) return;
    on_descriptor(bytes[at], bytes.subspan(at + 2, size));
    at += 2 + size;
  }
}

std::string_view Registration(Bytes descriptors) {
  std::string_view format;
  ForEachDescriptor(descriptors, [&](std::uint8_t tag, Bytes body) {
    if (tag == kRegistration && body.size() >= 4) {
      format = {reinterpret_cast<const char*>(body.data()), 4};
    }
  });
  return format;
}

bool IsVideo(std::uint8_t type, Bytes descriptors) {
  constexpr std::uint8_t kTypes[] = {0x01, 0x02, 0x10, 0x1b, 0x20, 0x21, 0x24, 0x33, 0xd1, 0xea};
  constexpr std::string_view kFormats[] = {"HEVC", "AV01", "VP09", "VC-1", "drac"};
  if (std::find(std::begin(kTypes), std::end(kTypes), type) != std::end(kTypes)) return true;
  return type == kPrivateData && std::find(std::begin(kFormats), std::end(kFormats),
                                           Registration(descriptors)) != std::end(kFormats);
}

std::optional<LaneNumber> PrivateLane(Bytes descriptors) {
  std::optional<LaneNumber> lane;
  std::uint8_t opus_channels = 0;
  ForEachDescriptor(descriptors, [&](std::uint8_t tag, Bytes body) {
    if (tag == kDvbAc3) lane = kAc3;
    if (tag == kDvbEac3) lane = kEac3;
    if (tag == kDvbDts) lane = kDts;
    if (tag == kExtension && body.size() >= 2 && body[0] == kOpusExtension) opus_channels = body[1];
  });
  const std::string_view format = Registration(descriptors);
  if (format == "AC-3") return kAc3;
  if (format == "EAC3") return kEac3;
  if (format == "DTS1" || format == "DTS2" || format == "DTS3") return kDts;
  if (format != "Opus") return lane;
  if (opus_channels == 1) return kOpusMono;
  return opus_channels == 2 ? std::optional(kOpusStereo) : std::nullopt;
}

bool IsLane(std::uint16_t pid, std::uint16_t first) {
  return pid >= first && pid < first + kLanes.size();
}

// A damaged section, or one that is only announced, is none; the demuxer sees it so, too.
bool Counts(Bytes section) { return (section[5] & 1) != 0 && Crc(section) == 0; }

void Append(std::vector<std::uint8_t>& bytes, std::uint16_t first, std::size_t number) {
  const Lane& lane = kLanes[number];
  const auto pid = static_cast<std::uint16_t>(first + number);
  bytes.insert(bytes.end(), {lane.type, static_cast<std::uint8_t>(0xe0 | pid >> 8),
                             static_cast<std::uint8_t>(pid), 0xf0, lane.size});
  bytes.insert(bytes.end(), lane.descriptors.begin(), lane.descriptors.begin() + lane.size);
}

}  // namespace

void AudioLanes::Rewrite(std::vector<std::uint8_t>& packets) {
  std::size_t kept = 0;
  for (std::size_t at = 0; at + kTsPacketBytes <= packets.size(); at += kTsPacketBytes) {
    TsPacket packet;
    const auto from = packets.begin() + static_cast<std::ptrdiff_t>(at);
    std::copy_n(from, packet.size(), packet.begin());
    if (Rewrite(packet) == Use::kNo) continue;
    std::copy(packet.begin(), packet.end(), packets.begin() + static_cast<std::ptrdiff_t>(kept));
    kept += kTsPacketBytes;
  }
  packets.resize(kept);
}

AudioLanes::Use AudioLanes::Rewrite(TsPacket& packet) {
  const std::uint16_t pid = TsHeader(std::span(packet)).pid();
  if (pid == audio_pid_) {
    packet[1] = static_cast<std::uint8_t>((packet[1] & 0xe0) | *lane_ >> 8);
    packet[2] = static_cast<std::uint8_t>(*lane_);
    return Use::kYes;
  }
  if (pid == 0 || pid == map_pid_) {
    const Section section = WholeSection(packet);
    if (section.empty() || !Counts(section)) return Use::kYes;
    if (pid == 0) {
      FollowAssociations(section);
    } else {
      RewriteMap(packet, section);
    }
    return Use::kYes;
  }
  return first_lane_ && IsLane(pid, *first_lane_) ? Use::kNo : Use::kYes;
}

void AudioLanes::FollowAssociations(Section section) {
  for (std::size_t at = 8; at + 4 + kCrcBytes <= section.size(); at += 4) {
    if (Short(section, at) == 0) continue;  // the network's
    map_pid_ = PidAt(section, at + 2);
    return;
  }
}

void AudioLanes::RewriteMap(TsPacket& packet, Section section) {
  if (section[0] != 0x02) return;
  const std::vector<Entry> entries = EntriesOf(section);
  std::vector<std::uint8_t> map(
      section.begin(),
      section.begin() + static_cast<std::ptrdiff_t>(
                            std::min(section.size() - kCrcBytes, kMapHead + Length(section, 10))));
  const std::size_t head = map.size();
  PlaceLanes(section, entries);
  for (const Entry& entry : entries) {
    if (!IsVideo(entry.type, entry.bytes.subspan(kEntryHead))) continue;
    map.insert(map.end(), entry.bytes.begin(), entry.bytes.end());
  }
  const bool has_video = map.size() > head;
  for (std::size_t number = 0; number < kLanes.size(); ++number) Append(map, *first_lane_, number);
  if (!has_video) return LeaveMap();
  if (kSectionAt + map.size() + kCrcBytes > packet.size()) {
    if (!std::exchange(told_, true)) spdlog::warn("input audio is left out: the map has no room");
    return LeaveMap();
  }
  FollowAudio(entries);
  // A clock that the audio carries moves with it.
  if (audio_pid_ && PidAt(map, 8) == *audio_pid_) {
    map[8] = static_cast<std::uint8_t>(0xe0 | *lane_ >> 8);
    map[9] = static_cast<std::uint8_t>(*lane_);
  }
  const std::size_t length = map.size() - 3 + kCrcBytes;
  map[1] = static_cast<std::uint8_t>((map[1] & 0xf0) | length >> 8);
  map[2] = static_cast<std::uint8_t>(length);
  const std::uint32_t crc = Crc(map);
  for (int shift = 24; shift >= 0; shift -= 8)
    map.push_back(static_cast<std::uint8_t>(crc >> shift));
  // Muxers fill small tables up with an adaptation field: ours needs the room.
  packet[3] = static_cast<std::uint8_t>(0x10 | (packet[3] & 0x0f));
  packet[4] = 0;
  const auto rest = std::copy(map.begin(), map.end(), packet.begin() + kSectionAt);
  std::fill(rest, packet.end(), std::uint8_t{0xff});
}

void AudioLanes::LeaveMap() {
  first_lane_.reset();
  FollowAudio({});
}

void AudioLanes::PlaceLanes(Section section, const std::vector<Entry>& entries) {
  std::uint16_t first = kUsualFirstLane;
  const auto taken = [&](std::uint16_t pid) { return IsLane(pid, first); };
  const auto has_video = [&](const Entry& entry) {
    return taken(entry.pid) && IsVideo(entry.type, entry.bytes.subspan(kEntryHead));
  };
  // Each step leaves the whole range behind, and a map of one packet has few PIDs.
  while (taken(PidAt(section, 8)) || taken(*map_pid_) ||
         std::any_of(entries.begin(), entries.end(), has_video)) {
    first = static_cast<std::uint16_t>(first - kLanes.size());
  }
  first_lane_ = first;
}

void AudioLanes::FollowAudio(const std::vector<Entry>& entries) {
  audio_pid_.reset();
  lane_.reset();
  for (const Entry& entry : entries) {
    lane_ = LaneFor(entry);
    if (!lane_) continue;
    audio_pid_ = entry.pid;
    return;
  }
}

std::vector<AudioLanes::Entry> AudioLanes::EntriesOf(Section section) {
  std::vector<Entry> entries;
  std::size_t at = kMapHead + Length(section, 10);
  while (at + kEntryHead + kCrcBytes <= section.size()) {
    const std::size_t size = kEntryHead + Length(section, at + 3);
    if (at + size + kCrcBytes > section.size()) break;
    entries.push_back({section[at], PidAt(section, at + 1), section.subspan(at, size)});
    at += size;
  }
  return entries;
}

std::optional<std::uint16_t> AudioLanes::LaneFor(const Entry& entry) const {
  const auto number = [&]() -> std::optional<LaneNumber> {
    switch (entry.type) {
      case 0x0f:
        return kAdts;
      case 0x11:
        return kLatm;
      case 0x03:
      case 0x04:
        return kMpeg;
      case 0x81:
        return kAc3;
      case 0x84:
      case 0x87:
        return kEac3;
      case 0x82:
        return kDts;
      case kPrivateData:
        return PrivateLane(entry.bytes.subspan(kEntryHead));
      default:
        return std::nullopt;
    }
  }();
  if (!number) return std::nullopt;
  return static_cast<std::uint16_t>(*first_lane_ + *number);
}

}  // namespace framelock::stream
