// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stream/ts_continuity.h"

namespace framelock::stream {

void TsContinuity::Watch(std::uint16_t pid) {
  pid_ = pid;
  counter_.reset();
}

bool TsContinuity::Push(const TsPacket& packet) {
  const TsHeader header(packet);
  if (!pid_ || header.pid() != *pid_ || !header.has_payload()) return false;
  const int counter = header.continuity();
  const std::optional<int> before = counter_;
  counter_ = counter;
  if (!before || header.discontinuity()) return false;
  // The same number twice is a repeated packet, which the standard allows once.
  return counter != *before && counter != ((*before + 1) & 0x0F);
}

}  // namespace framelock::stream
