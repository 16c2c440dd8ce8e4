// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>

#include "pipeline/core/hold_budget.h"
#include "pipeline/core/input_clock.h"
#include "plugins/cadence.h"
#include "plugins/even_rate.h"
#include "plugins/line_frame.h"

namespace framelock::plugins {

/// When frames leave, and which of them are worth the worker's time: the cadence of one line. Its
/// owner tells it what happens to frames. Plain logic: the owner brings the time, and locks.
class Pace {
 public:
  using Duration = std::chrono::nanoseconds;
  struct Options {
    Cadence cadence = Cadence::kSteady;
    Release release = Release::kEven;
    std::size_t max_in_flight = 1;
    std::optional<Duration> latency;  // from a frame's expected arrival on; unset: what it takes
    Duration stall_timeout{};         // in place of a budget that is not known yet
    std::size_t max_places = 16;      // of kEvery; what takes longer is not waited for
  };
  /// What the frame competes for: the worker's time, or only a place while nobody answers.
  enum class Flow : std::uint8_t { kServed, kStalled };

  explicit Pace(const Options& options)
      : options_(options), rate_(options.max_in_flight), hold_(options.latency) {}

  /// Whether a frame is likely to be processed that arrives now.
  [[nodiscard]] bool Wants(std::optional<Duration> pts, SteadyTime now) const;
  /// Whether the frame that has arrived is to be processed; sets when it was expected.
  bool Enter(LineFrame& frame, Flow flow);
  void Answered(const LineFrame& frame, SteadyTime submitted, SteadyTime now);
  void ChangeGraph();
  /// After a flush.
  void Restart();

  /// When the frame leaves if it is finished; long ago: at once.
  [[nodiscard]] SteadyTime Due(const LineFrame& frame) const;
  /// When something takes the place of the frame if it is not finished; nullopt: it is waited for.
  [[nodiscard]] std::optional<SteadyTime> Patience(const LineFrame& frame) const;

  [[nodiscard]] Cadence cadence() const { return options_.cadence; }
  /// Of how many frames one is chosen.
  [[nodiscard]] std::uint64_t divisor() const { return rate_.divisor(); }
  /// How long after its expected arrival a frame leaves.
  [[nodiscard]] Duration budget() const;

 private:
  [[nodiscard]] bool Hopeless() const;

  const Options options_;
  EvenRate rate_;
  InputClock clock_;
  HoldBudget hold_;
};

}  // namespace framelock::plugins
