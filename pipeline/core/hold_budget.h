// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>

#include "pipeline/core/clock.h"

namespace framelock {

/// How long after its expected arrival a frame is published, so that noise in what frames take
/// does not show. By default the least time that leaves so little of that noise that published
/// intervals vary by half a percent: about the 95th percentile for a worker whose times vary, and
/// next to nothing for a fast one. What else delays a frame (a source that is late, an encoder)
/// counts with its median and a twentieth of an interval, or a quarter of the worker's time where
/// that is more: its noise is paid for by every frame only as far as it is small beside the rest.
/// Outliers do not move the budget, and it moves smoothly, so that moving makes no noise of its
/// own. It is never more than an output interval above the median, so the typical frame is held for
/// less than that. Plain logic: the owner brings the time, and locks.
class HoldBudget {
 public:
  using Duration = std::chrono::nanoseconds;

  /// `fixed`: this one, always.
  explicit HoldBudget(std::optional<Duration> fixed = {}) : fixed_(fixed) {}

  struct Lateness {
    Duration whole;    // from a frame's expected arrival until it could be published
    Duration service;  // the part of it that is the worker's
  };
  /// `interval`: between outputs.
  void Add(const Lateness& lateness, Duration interval, SteadyTime now);
  /// What was seen so far says nothing of what comes, and the next one is late for reasons of its
  /// own; the budget stays until the one after that.
  void Clear() {
    seen_.clear();
    first_ = true;
  }

  [[nodiscard]] Duration value() const { return fixed_.value_or(value_); }
  /// The same for a line that holds one finished frame: never so long that the next one is there,
  /// which would publish this one at a time that is noise.
  [[nodiscard]] Duration OfOne(Duration interval) const;
  /// Half of the frames were there by then; nullopt: it is not known yet.
  [[nodiscard]] std::optional<Duration> typical() const;
  /// Whether it is more than a first guess.
  [[nodiscard]] bool known() const;

 private:
  struct Seen {
    SteadyTime at;
    Lateness lateness;
  };

  [[nodiscard]] Duration Target(Duration interval);

  const std::optional<Duration> fixed_;
  std::deque<Seen> seen_;
  Duration value_{};
  Duration low_{}, median_{};  // of those seen
  bool first_ = true;
};

}  // namespace framelock
