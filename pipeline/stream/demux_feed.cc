// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stream/demux_feed.h"

#include <spdlog/spdlog.h>

namespace framelock::stream {

namespace {

constexpr std::chrono::seconds kLogInterval{10};  // of jumps

}  // namespace

void DemuxFeed::Watch(std::uint16_t pid) {
  continuity_.Watch(pid);
  ends_.Watch(pid);
}

void DemuxFeed::Restart() {
  reader_.Clear();
  continuity_.Restart();
  clock_.AnnounceHole();
  ends_.Restart();
}

DemuxFeed::Before DemuxFeed::Push(std::span<const std::byte> bytes, SteadyTime now,
                                  std::vector<std::uint8_t>& out) {
  Before before = Before::kWhole;
  reader_.Push(bytes, [&](const TsPacket& packet) {
    if (OnPacket(packet, now, out) == Before::kHole) before = Before::kHole;
  });
  return before;
}

DemuxFeed::Before DemuxFeed::OnPacket(TsPacket packet, SteadyTime now,
                                      std::vector<std::uint8_t>& out) {
  const bool hole = continuity_.Push(packet);
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
