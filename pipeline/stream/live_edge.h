// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <optional>

#include "pipeline/core/clock.h"
#include "pipeline/core/ts_stamps.h"

namespace framelock::stream {

/// How far a live stream is by now, if nothing holds it up: as far ahead of our clock as it was at
/// most in the last minute or two. What waited on the way may come all at once, up to there. Not
/// thread-safe.
class LiveEdge {
 public:
  /// The stream's `time` is here.
  void Note(TsTicks time, SteadyTime now) {
    const TsTicks ahead = time - Ticks(now);
    if (!since_ || now - *since_ > kWindow) {
      former_ = since_ ? ahead_ : ahead;
      ahead_ = ahead;
      since_ = now;
    }
    ahead_ = std::max(ahead_, ahead);
  }
  /// After the first Note.
  [[nodiscard]] TsTicks At(SteadyTime now) const { return Ticks(now) + std::max(ahead_, former_); }

 private:
  // Long enough for a stall, short enough for clocks that drift apart.
  static constexpr std::chrono::seconds kWindow{60};

  static TsTicks Ticks(SteadyTime now) {
    return std::chrono::duration_cast<TsTicks>(now.time_since_epoch());
  }

  TsTicks ahead_{0}, former_{0};
  std::optional<SteadyTime> since_;
};

}  // namespace framelock::stream
