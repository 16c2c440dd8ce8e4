// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace framelock::plugins {

inline constexpr std::size_t kTsPacketBytes = 188;
using TsPacket = std::array<std::uint8_t, kTsPacketBytes>;

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
      const bool agrees = next >= partial_.size() || partial_[next] == kSync;
      if (partial_[at] != kSync || !agrees) {
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
  static constexpr std::uint8_t kSync = 0x47;
  std::vector<std::uint8_t> partial_;
  std::uint64_t skipped_bytes_ = 0;
};

/// The packet's stream.
inline std::uint16_t TsPid(const TsPacket& packet) {
  return static_cast<std::uint16_t>((packet[1] & 0x1f) << 8 | packet[2]);
}

}  // namespace framelock::plugins
