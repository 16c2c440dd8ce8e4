// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stream/demux_feed.h"

#include <spdlog/spdlog.h>

#include <utility>

namespace framelock::stream {

namespace {

constexpr std::chrono::seconds kLogInterval{10};  // of jumps

}  // namespace

void DemuxFeed::Watch(std::uint16_t pid, PesEnds::Marks marks) {
  continuity_.Watch(pid);
  ends_.Watch(pid, marks);
}

void DemuxFeed::Restart() {
  reader_.Clear();
  continuity_.Restart();
  clock_.AnnounceHole();
  hole_before_ = true;
}

std::vector<std::size_t> DemuxFeed::Push(std::span<const std::byte> bytes, SteadyTime now,
                                         std::vector<std::uint8_t>& out) {
  std::vector<std::size_t> holes;
  if (std::exchange(hole_before_, false)) ends_.MarkHole(out);
  reader_.Push(bytes, [&](const TsPacket& packet) {
    const std::size_t at = out.size();
    if (OnPacket(packet, now, out) == Before::kHole) holes.push_back(at);
  });
  return holes;
}

DemuxFeed::Before DemuxFeed::OnPacket(TsPacket packet, SteadyTime now,
                                      std::vector<std::uint8_t>& out) {
  if (TsHeader(packet).unreadable()) return Before::kWhole;  // the next one shows the hole
  const TsContinuity::Packet continuity = continuity_.Push(packet);
  if (continuity == TsContinuity::Packet::kRepeated) return Before::kWhole;
  const bool hole = continuity == TsContinuity::Packet::kHole &&
                    ends_.MarkJump(packet, out) == PesEnds::Unit::kTorn;
  const std::uint64_t epochs = clock_.epochs();
  clocks_.clear();
  clock_.Rewrite(packet, now, clocks_);
  if (clock_.epochs() != epochs) LogEpoch(now);
  for (const TsPacket& clock : clocks_) ends_.Push(clock, out);
  const bool torn = ends_.Push(packet, out) == PesEnds::Unit::kTorn;
  return hole || torn ? Before::kHole : Before::kWhole;
}

void DemuxFeed::LogEpoch(SteadyTime now) {
  if (epoch_logged_ && now - *epoch_logged_ < kLogInterval) return;
  epoch_logged_ = now;
  spdlog::info("the input's clock jumped: epoch {} begins", clock_.epochs());
}

}  // namespace framelock::stream
