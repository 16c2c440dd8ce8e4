// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stream/ts_continuity.h"

#include <algorithm>
#include <utility>

namespace framelock::stream {

void TsContinuity::Watch(std::uint16_t pid) {
  pid_ = pid;
  last_.reset();
}

TsContinuity::Packet TsContinuity::Push(const TsPacket& packet) {
  const TsHeader header(packet);
  if (!pid_ || header.pid() != *pid_ || !header.has_payload()) return Packet::kNext;
  const std::optional<TsPacket> last = std::exchange(last_, packet);
  if (!last) return Packet::kNext;
  const TsHeader before(*last);
  if (header.continuity() == ((before.continuity() + 1) & 0x0F)) return Packet::kNext;
  // Sixteen lost packets show the same number, too.
  const bool same = header.continuity() == before.continuity() &&
                    std::ranges::equal(header.payload(), before.payload());
  return same ? Packet::kRepeated : Packet::kHole;
}

}  // namespace framelock::stream
