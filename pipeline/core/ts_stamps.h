// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <ratio>

#include "pipeline/core/ts_packet.h"

namespace framelock {

/// Time as a transport stream counts it, 90 kHz; unbounded here.
using TsTicks = std::chrono::duration<std::int64_t, std::ratio<1, 90'000>>;

/// A time stamp as it travels: 33 bits, so it starts anew every 26.5 hours.
class TsStamp {
 public:
  static constexpr std::uint64_t kRange = std::uint64_t{1} << 33;

  TsStamp() = default;
  explicit TsStamp(std::uint64_t ticks) : ticks_(ticks & (kRange - 1)) {}
  explicit TsStamp(TsTicks time) : TsStamp(static_cast<std::uint64_t>(time.count())) {}

  [[nodiscard]] std::uint64_t ticks() const { return ticks_; }
  TsStamp operator+(TsTicks by) const {
    return TsStamp(ticks_ + static_cast<std::uint64_t>(by.count()));
  }
  /// The shorter way from `from` to this one, be it forward or back.
  TsTicks operator-(TsStamp from) const {
    const TsStamp forward(ticks_ - from.ticks_);
    const auto ticks = static_cast<std::int64_t>(forward.ticks_);
    return TsTicks(forward.ticks_ < kRange / 2 ? ticks : ticks - std::int64_t{kRange});
  }
  friend bool operator==(TsStamp, TsStamp) = default;

 private:
  std::uint64_t ticks_ = 0;
};

/// The programme clock reference in the packet's adaptation field, without its 27 MHz part.
std::optional<TsStamp> ProgramClock(const TsPacket& packet);
/// For a packet that has one; the 27 MHz part stays as it is.
void SetProgramClock(TsPacket& packet, TsStamp clock);
/// A packet of that PID which carries the programme clock alone.
TsPacket ClockPacket(std::uint16_t pid, std::uint8_t continuity, TsStamp clock);

/// What the head of a PES packet says about its time (ISO/IEC 13818-1, 2.4.3.7).
struct PesStamps {
  std::uint8_t stream_id = 0;
  TsStamp pts;
  std::optional<TsStamp> dts;  // only where it differs from pts

  [[nodiscard]] TsStamp decode_time() const { return dts.value_or(pts); }
  [[nodiscard]] bool is_video() const { return (stream_id & 0xF0) == 0xE0; }
};

/// Of the PES packet that begins in this packet; nullopt where none with a time begins.
std::optional<PesStamps> ReadPesStamps(const TsPacket& packet);
/// Moves the stamps that are there by `by`.
void MovePesStamps(TsPacket& packet, TsTicks by);

}  // namespace framelock
