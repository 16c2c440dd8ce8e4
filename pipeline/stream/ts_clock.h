// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <optional>
#include <vector>

#include "pipeline/core/clock.h"
#include "pipeline/core/ts_stamps.h"
#include "pipeline/stream/ts_line.h"

namespace framelock::stream {

/// Gives a transport stream one clock without jumps, whatever the publisher's does: rewrites the
/// time stamps in its packets before the demuxer sees them.
///
///   publisher   …  5.00  5.03  5.07 │ 0.00  0.03 …        an epoch ends where the clock jumps
///   demuxer     …  5.00  5.03  5.07   5.10  5.13 …        another offset, the same for all PIDs
///
/// Within an epoch one offset, exact to the tick, moves everything. A clock that went on while
/// nothing came (a pause, missed segments) is a gap and no jump. The first video PID leads: its
/// decoding times, which B-frames do not disturb, decide about epochs; the other PIDs follow it,
/// each when its own stamps jump, since old and new may be interleaved. An offset that was in use
/// before is taken up again where it fits, and stamps out of step are forgotten where the next one
/// goes on from before them, so that a damaged one or two shift nothing for good.
///
/// The programme clock (PCR) is derived from the leader's decoding times, and sent more often where
/// the stream has a gap: tsdemux takes more than half a second without it for a jump. What is sent
/// so is bounded by the number of packets that come; beyond it the programme clock jumps. Not
/// thread-safe.
class TsClock {
 public:
  struct Options {
    TsLine::Rules rules;
    std::size_t max_pids = 32;  // PIDs with times; those beyond move with the leader
    // Packets of the programme clock that may be made up at once; each that comes earns some more.
    std::size_t max_fill = 4096;
    std::size_t fill_per_packet = 4;
  };

  TsClock() : TsClock(Options{}) {}
  explicit TsClock(const Options& options) : options_(options), fill_left_(options.max_fill) {}

  TsClock(const TsClock&) = delete;
  TsClock& operator=(const TsClock&) = delete;
  TsClock(TsClock&&) = default;
  TsClock& operator=(TsClock&&) = default;

  /// Bytes are missing in front of the packets to come.
  void AnnounceHole();
  /// Moves the packet's stamps. What must go in front of it is appended to `before`.
  void Rewrite(TsPacket& packet, SteadyTime now, std::vector<TsPacket>& before);

  /// Stretches of input with one offset, counted from 1.
  [[nodiscard]] std::uint64_t epochs() const { return epochs_; }

 private:
  struct Pid {
    std::uint16_t number;
    bool video = false;
    bool has_dts = false;
    std::optional<TsLine> track;
    std::optional<TsTicks> strayed_from;  // the leader's offset when its own stamps jumped
    std::optional<TsTicks> clock;         // the last PCR that was sent on it
    std::uint8_t continuity = 0;
  };

  Pid* Find(std::uint16_t number);
  Pid* FindOrAdd(std::uint16_t number);
  TsTicks Move(Pid& pid, const PesStamps& stamps, SteadyTime now);
  enum class Place : std::uint8_t { kHere, kBehind };
  Place Begin(Pid& pid, TsStamp stamp, SteadyTime now);
  void ChooseLeader(Pid& pid, SteadyTime now);
  TsTicks OffsetFor(Pid& pid, TsStamp stamp, SteadyTime now) const;
  [[nodiscard]] TsTicks LeadersOffset(const Pid& pid, TsStamp stamp, SteadyTime now) const;
  TsTicks FollowersOffset(Pid& pid, TsStamp stamp, SteadyTime now) const;
  [[nodiscard]] bool IsReordered(const Pid& pid, TsStamp stamp) const;
  void NoteEpoch();
  void SeeClock(TsStamp clock);
  [[nodiscard]] TsTicks ClockNow();
  void SendClock(Pid& pid, TsPacket& packet, TsStamp clock);
  void FillClock(std::vector<TsPacket>& before);
  void FillClock(Pid& pid, TsTicks clock, std::vector<TsPacket>& before);

  Options options_;
  std::list<Pid> pids_;  // its elements stay where they are
  Pid* leader_ = nullptr;
  TsTicks offset_{0};           // the leader's
  std::deque<TsTicks> former_;  // those before, the newest first
  std::uint64_t epochs_ = 1;

  std::optional<TsStamp> seen_clock_;  // PCR as it came
  bool clock_jumped_ = false;          // since the leader's last epoch
  Pid* clock_pid_ = nullptr;           // the last one that brought a PCR
  std::size_t fill_left_;
  std::optional<TsTicks> lead_;  // of the leader's decoding times before the PCR
};

}  // namespace framelock::stream
