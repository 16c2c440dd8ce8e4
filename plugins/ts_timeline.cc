// SPDX-License-Identifier: Apache-2.0
#include "plugins/ts_timeline.h"

namespace framelock::plugins {
namespace {

constexpr std::uint64_t kWrap = std::uint64_t{1} << 33;

std::optional<std::uint64_t> ProgrammeClock(const TsPacket& packet) {
  const auto field = TsHeader(packet).adaptation();
  if (field.size() < 7 || (field[0] & 0x10) == 0) return std::nullopt;
  return std::uint64_t{field[1]} << 25 | std::uint64_t{field[2]} << 17 |
         std::uint64_t{field[3]} << 9 | std::uint64_t{field[4]} << 1 | std::uint64_t{field[5]} >> 7;
}

}  // namespace

void TsTimeline::Push(std::span<const std::byte> bytes, SteadyTime now) {
  reader_.Push(bytes, [&](const TsPacket& packet) { OnPacket(packet, now); });
}

bool TsTimeline::PushAfterHole(std::span<const std::byte> bytes, SteadyTime now) {
  const auto pcr_before = last_pcr_;
  const SteadyTime time_before = last_time_;
  reader_.Clear();
  first_pcr_.reset();
  pid_.reset();
  Push(bytes, now);
  if (!pcr_before || !first_pcr_) return true;
  const std::uint64_t ticks = (*first_pcr_ - *pcr_before) & (kWrap - 1);
  return std::chrono::nanoseconds(ticks * 100000 / 9) <= now - time_before + options_.slack;
}

void TsTimeline::OnPacket(const TsPacket& packet, SteadyTime now) {
  const auto pcr = ProgrammeClock(packet);
  if (!pcr) return;
  const std::uint16_t pid = TsHeader(packet).pid();
  if (!pid_) pid_ = pid;
  if (pid_ != pid) return;
  if (!first_pcr_) first_pcr_ = pcr;
  last_pcr_ = pcr;
  last_time_ = now;
}

}  // namespace framelock::plugins
