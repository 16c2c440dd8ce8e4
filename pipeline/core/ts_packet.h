// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace framelock {

inline constexpr std::size_t kTsPacketBytes = 188;
inline constexpr std::uint8_t kTsSyncByte = 0x47;
using TsPacket = std::array<std::uint8_t, kTsPacketBytes>;

/// The fields in front of a transport packet's payload (ISO/IEC 13818-1, 2.4.3):
///
///   0     sync byte 0x47
///   1, 2  error indicator, payload_unit_start_indicator, priority, 13 bits of PID
///   3     scrambling, adaptation field present, payload present, 4 bits of continuity counter
///   4 …   adaptation field: its length, then discontinuity, random access and further flags
///
/// Borrows the packet. No field is trusted: lengths that lie end at the packet's end.
class TsHeader {
 public:
  explicit TsHeader(std::span<const std::uint8_t, kTsPacketBytes> packet) : packet_(packet) {}
  explicit TsHeader(std::span<const std::byte, kTsPacketBytes> packet)
      : packet_(reinterpret_cast<const std::uint8_t*>(packet.data()), packet.size()) {}

  [[nodiscard]] std::uint16_t pid() const {
    return static_cast<std::uint16_t>((packet_[1] & 0x1F) << 8 | packet_[2]);
  }
  /// A PES packet or a table's section begins here.
  [[nodiscard]] bool starts_unit() const { return (packet_[1] & 0x40) != 0; }
  [[nodiscard]] std::uint8_t continuity() const { return packet_[3] & 0x0F; }
  /// An adaptation field that leaves no room for one is no payload, whatever the flag says.
  [[nodiscard]] bool has_payload() const { return payload_offset() < kTsPacketBytes; }
  /// Damaged on the way, or scrambled: a reader leaves it out.
  [[nodiscard]] bool unreadable() const {
    return (packet_[1] & 0x80) != 0 || (packet_[3] & 0xC0) != 0;
  }
  [[nodiscard]] bool has_adaptation() const { return (packet_[3] & 0x20) != 0; }
  /// The adaptation field behind its length, from its flags on; empty without one.
  [[nodiscard]] std::span<const std::uint8_t> adaptation() const {
    if (!has_adaptation()) return {};
    return packet_.subspan(5, std::min<std::size_t>(packet_[4], kTsPacketBytes - 5));
  }
  /// The sender says that the continuity counter jumps here.
  [[nodiscard]] bool discontinuity() const { return HasFlag(0x80); }
  [[nodiscard]] bool random_access() const { return HasFlag(0x40); }
  /// Of the payload; kTsPacketBytes without one.
  [[nodiscard]] std::size_t payload_offset() const {
    if ((packet_[3] & 0x10) == 0) return kTsPacketBytes;
    const std::size_t field = (packet_[3] & 0x20) != 0 ? 1u + packet_[4] : 0u;
    return std::min(4 + field, kTsPacketBytes);
  }
  [[nodiscard]] std::span<const std::uint8_t> payload() const {
    return packet_.subspan(payload_offset());
  }

 private:
  [[nodiscard]] bool HasFlag(std::uint8_t flag) const {
    const auto field = adaptation();
    return !field.empty() && (field[0] & flag) != 0;
  }

  std::span<const std::uint8_t, kTsPacketBytes> packet_;
};

/// Finds the packets in the bytes of an MPEG transport stream, however they are cut; looks for the
/// sync byte again where it is missing. Keeps less than a packet. Not thread-safe.
class TsPacketReader {
 public:
  /// Calls on_packet(const TsPacket&) for each packet that is now whole.
  template <typename OnPacket>
  void Push(std::span<const std::byte> bytes, OnPacket&& on_packet) {
    const auto* begin = reinterpret_cast<const std::uint8_t*>(bytes.data());
    partial_.insert(partial_.end(), begin, begin + bytes.size());
    std::size_t at = 0;
    while (partial_.size() - at >= kTsPacketBytes) {
      const std::size_t next = at + kTsPacketBytes;
      const bool agrees = next >= partial_.size() || partial_[next] == kTsSyncByte;
      if (partial_[at] != kTsSyncByte || !agrees) {
        ++at;
        ++skipped_bytes_;
        continue;
      }
      TsPacket packet;
      std::copy_n(partial_.data() + at, packet.size(), packet.data());
      at = next;
      on_packet(packet);
    }
    partial_.erase(partial_.begin(), partial_.begin() + static_cast<std::ptrdiff_t>(at));
  }

  /// Forgets a packet's beginning: what follows does not belong to it.
  void Clear() { partial_.clear(); }

  [[nodiscard]] std::uint64_t skipped_bytes() const { return skipped_bytes_; }

 private:
  std::vector<std::uint8_t> partial_;
  std::uint64_t skipped_bytes_ = 0;
};

}  // namespace framelock
