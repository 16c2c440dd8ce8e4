// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stream/demux_feed.h"

namespace framelock::stream {

void DemuxFeed::Watch(std::uint16_t pid) {
  continuity_.Watch(pid);
  ends_.Watch(pid);
}

void DemuxFeed::Restart() {
  reader_.Clear();
  continuity_.Restart();
  ends_.Restart();
}

DemuxFeed::Before DemuxFeed::Push(std::span<const std::byte> bytes,
                                  std::vector<std::uint8_t>& out) {
  Before before = Before::kWhole;
  reader_.Push(bytes, [&](const TsPacket& packet) {
    if (continuity_.Push(packet)) before = Before::kHole;
    if (ends_.Push(packet, out) == PesEnds::Unit::kTorn) before = Before::kHole;
  });
  return before;
}

}  // namespace framelock::stream
