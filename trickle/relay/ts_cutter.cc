// SPDX-License-Identifier: Apache-2.0
#include "trickle/relay/ts_cutter.h"

#include <algorithm>

namespace framelock::relay {
namespace {

constexpr std::byte kSync{kTsSyncByte};
constexpr std::uint16_t kPatPid = 0;
constexpr std::size_t kMaxSection = 1024;  // PAT and PMT, by ISO/IEC 13818-1
constexpr std::size_t kMaxTablePackets = kTsPacketBytes * 8;
constexpr std::size_t kMaxHeld = kTsPacketBytes * 16;
constexpr std::size_t kSectionHeader = 3;
constexpr std::size_t kTableHeader = 8;  // up to the table's own fields
constexpr std::size_t kCrc = 4;
constexpr std::uint64_t kPtsRange = std::uint64_t{1} << 33;

unsigned At(std::span<const std::byte> bytes, std::size_t i) {
  return std::to_integer<unsigned>(bytes[i]);
}

unsigned Word(std::span<const std::byte> bytes, std::size_t i) {
  return At(bytes, i) << 8 | At(bytes, i + 1);
}

std::uint16_t Pid(std::span<const std::byte> bytes, std::size_t i) {
  return static_cast<std::uint16_t>(Word(bytes, i) & 0x1FFF);
}

// MPEG-1, MPEG-2, MPEG-4, H.264, H.265, H.266.
bool IsVideo(unsigned stream_type) {
  constexpr std::array<unsigned, 6> kTypes{0x01, 0x02, 0x10, 0x1B, 0x24, 0x33};
  return std::find(kTypes.begin(), kTypes.end(), stream_type) != kTypes.end();
}

bool StartsPes(std::span<const std::byte> payload) {
  return payload.size() >= 3 && At(payload, 0) == 0 && At(payload, 1) == 0 && At(payload, 2) == 1;
}

// The presentation time of a PES header, in 90 kHz ticks.
std::optional<std::uint64_t> PtsOf(std::span<const std::byte> payload) {
  if (!StartsPes(payload) || payload.size() < 14 || (At(payload, 7) & 0x80) == 0) {
    return std::nullopt;
  }
  const std::uint64_t high = At(payload, 9) >> 1 & 0x07;
  const std::uint64_t middle = Word(payload, 10) >> 1;
  const std::uint64_t low = Word(payload, 12) >> 1;
  return high << 30 | middle << 15 | low;
}

void AppendTo(std::string& text, std::span<const std::byte> bytes) {
  text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

}  // namespace

// The fields of one packet; borrows its bytes.
struct TsCutter::Packet {
  explicit Packet(std::span<const std::byte, kTsPacketBytes> all) : Packet(all, TsHeader(all)) {}
  Packet(std::span<const std::byte, kTsPacketBytes> all, const TsHeader& header)
      : bytes(all),
        payload(all.subspan(header.payload_offset())),
        pid(header.pid()),
        start(header.starts_unit()),
        random_access(header.random_access()) {}

  std::span<const std::byte> bytes;
  std::span<const std::byte> payload;
  std::uint16_t pid;
  bool start;  // payload_unit_start_indicator
  bool random_access;
};

bool PsiTable::Feed(std::span<const std::byte> packet, std::span<const std::byte> payload,
                    bool start) {
  if (start) {
    growing_section_.clear();
    growing_packets_.clear();
    const std::size_t pointer = payload.empty() ? 0 : At(payload, 0);
    payload = payload.subspan(std::min(payload.size(), 1 + pointer));
  } else if (growing_packets_.empty()) {
    return false;
  }
  growing_section_.insert(growing_section_.end(), payload.begin(), payload.end());
  AppendTo(growing_packets_, packet);
  if (growing_section_.size() < kSectionHeader) return false;
  const std::size_t length = kSectionHeader + (Word(growing_section_, 1) & 0x0FFF);
  if (length > kMaxSection || growing_packets_.size() > kMaxTablePackets) {
    growing_packets_.clear();
    return false;
  }
  if (growing_section_.size() < length) return false;
  growing_section_.resize(length);
  section_ = std::move(growing_section_);
  packets_ = std::move(growing_packets_);
  growing_section_.clear();
  growing_packets_.clear();
  return true;
}

// Moves `at` behind the next packet, or as far as no packet can begin.
bool TsCutter::TakePacket(std::size_t& at) {
  while (pending_.size() - at >= kTsPacketBytes) {
    const bool begins = pending_[at] == kSync;
    if (in_step_ && begins) {
      at += kTsPacketBytes;
      return true;
    }
    in_step_ = false;
    // One sync byte may be chance; two at a packet's distance are a step.
    if (begins && pending_.size() - at == kTsPacketBytes) return false;
    if (begins && pending_[at + kTsPacketBytes] == kSync) {
      in_step_ = true;
      continue;
    }
    ++at;
    ++dropped_bytes_;
  }
  return false;
}

std::vector<TsCutter::Piece> TsCutter::Push(std::span<const std::byte> bytes) {
  Pieces out;
  pending_.insert(pending_.end(), bytes.begin(), bytes.end());
  std::size_t at = 0;
  while (TakePacket(at)) {
    const std::span<const std::byte> all = pending_;
    Handle(Packet(all.subspan(at - kTsPacketBytes).first<kTsPacketBytes>()), out);
  }
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(at));
  return out;
}

void TsCutter::ReadPat() {
  const auto section = pat_.section();
  if (section.size() < kTableHeader + kCrc || At(section, 0) != 0) return;
  for (std::size_t at = kTableHeader; at + 4 + kCrc <= section.size(); at += 4) {
    if (Word(section, at) == 0) continue;  // the network table
    const std::uint16_t pid = Pid(section, at + 2);
    if (pmt_pid_ != pid) {
      pmt_pid_ = pid;
      pmt_ = PsiTable();
      key_pid_.reset();
    }
    return;
  }
}

void TsCutter::ReadPmt() {
  const auto section = pmt_.section();
  if (section.size() < kTableHeader + 4 + kCrc || At(section, 0) != 2) return;
  key_pid_.reset();
  key_is_video_ = false;
  std::size_t at = kTableHeader + 4 + (Word(section, kTableHeader + 2) & 0x0FFF);
  for (; at + 5 + kCrc <= section.size(); at += 5 + (Word(section, at + 3) & 0x0FFF)) {
    const bool video = IsVideo(At(section, at));
    if (key_pid_ && !video) continue;
    key_pid_ = Pid(section, at + 1);
    key_is_video_ = video;
    if (video) return;
  }
}

bool TsCutter::HandleTable(const Packet& packet) {
  if (packet.pid == kPatPid) {
    if (pat_.Feed(packet.bytes, packet.payload, packet.start)) ReadPat();
  } else if (packet.pid == pmt_pid_) {
    if (pmt_.Feed(packet.bytes, packet.payload, packet.start)) ReadPmt();
  } else {
    return false;
  }
  held_.insert(held_.end(), packet.bytes.begin(), packet.bytes.end());
  return true;
}

bool TsCutter::IsRandomAccess(const Packet& packet) const {
  if (packet.pid != key_pid_ || !packet.start) return false;
  return key_is_video_ ? packet.random_access : StartsPes(packet.payload);
}

bool TsCutter::IsDue(std::optional<std::uint64_t> pts) const {
  if (!started_ || !pts || !segment_pts_) return true;
  const std::uint64_t ticks = (*pts + kPtsRange - *segment_pts_) % kPtsRange;
  // Times that went back look like a very long segment: a cut is right then, too.
  return ticks >= static_cast<std::uint64_t>(options_.min_segment_duration.count()) * 90;
}

void TsCutter::Emit(std::span<const std::byte> bytes, Pieces& out) {
  if (!started_) {
    dropped_bytes_ += bytes.size();
    return;
  }
  if (out.empty()) out.emplace_back();
  AppendTo(out.back().bytes, bytes);
}

void TsCutter::ReleaseHeld(Pieces& out) {
  Emit(held_, out);
  held_.clear();
}

void TsCutter::Handle(const Packet& packet, Pieces& out) {
  if (HandleTable(packet)) {
    if (held_.size() > kMaxHeld) ReleaseHeld(out);
    return;
  }
  const auto pts = PtsOf(packet.payload);
  if (IsRandomAccess(packet) && IsDue(pts)) {
    started_ = true;
    segment_pts_ = pts;
    held_.clear();
    out.push_back({.starts_segment = true, .bytes = pat_.packets() + pmt_.packets()});
  }
  ReleaseHeld(out);
  Emit(packet.bytes, out);
}

}  // namespace framelock::relay
