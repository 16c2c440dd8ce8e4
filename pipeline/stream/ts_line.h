// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "pipeline/core/clock.h"
#include "pipeline/core/ts_stamps.h"
#include "pipeline/stream/live_edge.h"

namespace framelock::stream {

/// The decoding times of one PID: how far they are, in which steps they go, and whether a stamp
/// under an offset goes on from there. Not thread-safe.
class TsLine {
 public:
  struct Rules {
    // A step forward is a jump if it is longer than each of these and leads past the live edge.
    TsTicks least_jump{22'500};                       // 0.25 s
    int jump_factor = 8;                              // times the usual step
    TsTicks longest_step = std::chrono::seconds(10);  // however long the usual ones are
    TsTicks first_step = std::chrono::seconds(5);
    // After bytes were missed; what was read ahead hides how long that took.
    TsTicks hole_slack = std::chrono::seconds(30);
    TsTicks longest_gap = std::chrono::minutes(10);
  };
  enum class Order : std::uint8_t {
    kStrict,  // no stamp is earlier than the one before
    kLoose,   // small steps back are jitter
  };

  /// Begins at `stamp`.
  TsLine(const Rules& rules, TsStamp stamp, SteadyTime now);
  /// Goes on where another one stopped, or at `stamp` under its offset, in steps of its own.
  static TsLine Behind(const TsLine& other);
  static TsLine Beside(const TsLine& other, TsStamp stamp, SteadyTime now);

  /// How far `stamp` lies behind the last one once moved by `offset`.
  [[nodiscard]] TsTicks StepTo(TsStamp stamp, TsTicks offset) const {
    return stamp + offset - TsStamp(last_);
  }
  /// True if that step is no jump.
  [[nodiscard]] bool Fits(TsStamp stamp, TsTicks offset, Order order, SteadyTime now) const;
  /// The offset which makes `stamp` the next one: a usual step on, or as much as passed meanwhile.
  [[nodiscard]] TsTicks OffsetToGoOn(TsStamp stamp, SteadyTime now) const;
  /// Forgets the last one or two stamps if they were out of step and `stamp`, the next, goes on
  /// from where the line was before them: they were damaged.
  void Resume(TsStamp stamp);
  /// Goes on to `stamp`. One that comes before the last in decoding order only counts as seen.
  void Take(TsStamp stamp, TsTicks offset, SteadyTime now);
  /// Bytes are missing in front of the next stamp.
  void AnnounceHole() { hole_ = true; }

  [[nodiscard]] TsTicks offset() const { return offset_; }
  [[nodiscard]] TsTicks last() const { return last_; }
  /// How far the line is for certain: Resume goes back behind a stamp that is out of step.
  [[nodiscard]] TsTicks settled() const;
  [[nodiscard]] TsTicks usual_step() const { return usual_; }
  [[nodiscard]] SteadyTime seen() const { return seen_; }

 private:
  [[nodiscard]] TsTicks Passed(SteadyTime now) const;
  [[nodiscard]] TsTicks LongestStep() const;
  [[nodiscard]] bool KeepsRhythm(TsStamp stamp) const;
  void NoteStep(TsTicks step);
  [[nodiscard]] bool IsUsual(TsTicks step, int times = 1) const;

  // Where the line was before stamps that are out of step.
  struct Before {
    TsTicks offset, last, rhythm;
    TsStamp stamp;
    LiveEdge edge;
    int stamps = 0;  // since then
  };

  Rules rules_;
  TsTicks offset_{0};
  TsTicks last_;       // moved by offset_, without wraps
  TsTicks usual_{0};   // 0: not known yet
  TsStamp stamp_;      // the last one, as it came
  TsTicks rhythm_{0};  // between the last two, as they came
  SteadyTime seen_;
  LiveEdge edge_;
  bool hole_ = false;
  std::optional<Before> before_;
};

}  // namespace framelock::stream
