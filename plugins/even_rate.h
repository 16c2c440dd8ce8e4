// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>

#include "pipeline/core/clock.h"

namespace framelock::plugins {

/// Chooses every N-th frame of a stream; N is the least one that the worker sustains. Where the
/// frame rate varies, the frame that is next to N usual intervals after the last one is chosen.
///
/// N is judged by running the last service times through a worker that is given every N-th frame:
/// it does when none of them would have been displaced by the next. A slower rate is taken as soon
/// as one would in a second's services, or the mean is too long; a faster one only when there is
/// time to spare, the more the shorter it has been so. So noise makes no difference. Hitches, far
/// longer than the others, are not counted while they are a small part of the time: no rate is even
/// with them, and an interval is never longer than two frames take. A faster rate that did not last
/// is tried again only after a while, each time a longer one. Plain logic: the owner brings the
/// time, and locks.
class EvenRate {
 public:
  using Duration = std::chrono::nanoseconds;

  explicit EvenRate(std::size_t max_in_flight) : max_in_flight_(max_in_flight) {}

  /// Whether the frame of this time, pts or the like, is one of the even ones.
  bool Choose(Duration time);
  /// What Choose() would say; a change of the input's rate may prove it wrong.
  [[nodiscard]] bool WouldChoose(Duration time) const;
  /// The same as Choose() for a frame that is chosen whatever the rate.
  void Take(Duration time);
  /// The worker had a frame from `submitted` to `answered`.
  void Served(SteadyTime submitted, SteadyTime answered);
  /// The answers to come are another graph's.
  void ChangeGraph();
  /// The times to come have nothing to do with those before.
  void Restart();

  /// N.
  [[nodiscard]] std::uint64_t divisor() const { return divisor_; }
  /// Between two chosen frames; zero before two frames were seen.
  [[nodiscard]] Duration interval() const { return usual_ * static_cast<Duration::rep>(divisor_); }

 private:
  struct Service {
    SteadyTime answered;
    Duration own;  // since the worker was done with the frame before
  };
  struct Typical {
    Duration longest;  // what is longer is not counted
    Duration counted;  // what a service takes that is
  };
  struct Trial {
    SteadyTime since;  // of the services that are tried
    Duration longest;  // of them
    int percent;       // of the time that they took on the whole
    int room = 100;    // percent of an interval that the next one may wait for each
  };

  bool Sees(Duration time);
  [[nodiscard]] bool GoesOn(Duration time) const;
  [[nodiscard]] bool Passes(Duration time) const;
  void Measure(Duration delta);
  void Adapt(SteadyTime now);
  void Slower(SteadyTime since, const Typical& typical);
  void Faster(SteadyTime now, SteadyTime oldest, const Typical& typical);
  void Forget(SteadyTime before);
  [[nodiscard]] Typical FindTypical(SteadyTime now) const;
  [[nodiscard]] SteadyTime Since(SteadyTime time, std::size_t least) const;
  [[nodiscard]] bool Fits(std::uint64_t divisor, const Trial& trial) const;
  [[nodiscard]] bool Sustains(std::uint64_t divisor, const Trial& trial) const;

  std::size_t max_in_flight_;
  std::uint64_t divisor_ = 1;
  std::optional<Duration> last_;  // time of the last frame
  Duration chosen_{};             // of the last chosen one
  std::deque<Duration> deltas_;
  Duration usual_{};
  std::deque<Service> services_;
  bool first_ = true;  // of this graph, and slow for reasons of its own
  SteadyTime last_answer_{};
  std::optional<SteadyTime> changed_, hastened_;
  Duration patience_ = std::chrono::seconds(1);  // from a change to a faster one
};

}  // namespace framelock::plugins
