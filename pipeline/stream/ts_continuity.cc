// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stream/ts_continuity.h"

#include <algorithm>

namespace framelock::stream {

namespace {

constexpr std::uint8_t kSync = 0x47;

}  // namespace

void TsContinuity::Watch(std::uint16_t pid) {
  pid_ = pid;
  counter_.reset();
}

void TsContinuity::Restart() {
  counter_.reset();
  filled_ = 0;
}

bool TsContinuity::Push(std::span<const std::uint8_t> bytes) {
  bool hole = false;
  while (!bytes.empty()) {
    if (filled_ == 0) {
      // Whatever lies between two packets belongs to nobody.
      const auto sync = std::find(bytes.begin(), bytes.end(), kSync);
      bytes = bytes.subspan(static_cast<std::size_t>(sync - bytes.begin()));
    }
    const std::size_t take = std::min(kPacketBytes - filled_, bytes.size());
    std::copy_n(bytes.begin(), take, packet_.begin() + static_cast<std::ptrdiff_t>(filled_));
    filled_ += take;
    bytes = bytes.subspan(take);
    if (filled_ < kPacketBytes) break;
    filled_ = 0;
    hole = OnPacket(packet_) || hole;
  }
  return hole;
}

bool TsContinuity::OnPacket(const Packet& packet) {
  const int pid = (packet[1] & 0x1F) << 8 | packet[2];
  if (!pid_ || pid != *pid_) return false;
  const bool has_payload = (packet[3] & 0x10) != 0;
  const bool has_adaptation = (packet[3] & 0x20) != 0;
  const bool announced = has_adaptation && packet[4] > 0 && (packet[5] & 0x80) != 0;
  if (!has_payload) return false;
  const int counter = packet[3] & 0x0F;
  const std::optional<int> before = counter_;
  counter_ = counter;
  if (!before || announced) return false;
  // The same number twice is a repeated packet, which the standard allows once.
  return counter != *before && counter != ((*before + 1) & 0x0F);
}

}  // namespace framelock::stream
