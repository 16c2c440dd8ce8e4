// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gst/gst.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>

#include "pipeline/core/clock.h"
#include "pipeline/core/hold_budget.h"
#include "pipeline/core/input_clock.h"

namespace framelock::stream {

/// Even times for what a stream publishes: holds each encoded frame until a HoldBudget after its
/// expected arrival, so that neither the worker's noise nor the encoder's shows. It stands behind
/// the encoder because there all of the noise has been made, and is paid for once. A frame is known
/// by its running time; one that it has not seen come in is not held. In the first seconds of an
/// input its backlog is worked off, so what frames take then is forgotten again and again. Bounded,
/// thread-safe.
///
///   OnArrived ── worker ── OnMade ── encoder ── OnEncoded ── Await ── muxer
class OutputPace {
 public:
  using Time = std::chrono::nanoseconds;
  enum class Step : std::uint8_t { kArrived, kMade, kEncoded, kAwait };

  /// `latency`: that long after its expected arrival each frame leaves, or as long as it can be
  /// held without the next one behind it; unset: the least that is even.
  explicit OutputPace(std::optional<Time> latency) : hold_(latency) {}

  void OnArrived(Time frame, SteadyTime now);
  void OnMade(Time frame, SteadyTime now);
  void OnEncoded(Time frame, SteadyTime now);
  /// When the frame is to leave; nullopt: at once.
  [[nodiscard]] std::optional<SteadyTime> Due(Time frame);
  /// What was seen so far says nothing of what comes: another graph, another worker. What is held
  /// by it leaves soon.
  void Forget();

  /// Sleeps until the frame is due, or Stop().
  void Await(Time frame);
  /// Ends all waiting, for good.
  void Stop();

  /// Takes the step for each buffer on the pad. This must outlive the pad's last buffer.
  void Watch(GstPad* pad, Step step);

  [[nodiscard]] Time budget() const;

 private:
  static constexpr std::size_t kMaxFrames = 1024;  // on their way: 17 s at 60 fps
  // So long without input, in time and in intervals: what comes behind it is a burst.
  static constexpr Time kGap = std::chrono::milliseconds(500);
  static constexpr int kGapIntervals = 4;
  static constexpr int kSettling = 4;
  static constexpr Time kSettlingStep = std::chrono::milliseconds(500);
  static constexpr std::size_t kDeltas = 15;  // of which the usual one is the interval
  struct Frame {
    SteadyTime arrived, expected;
    std::optional<SteadyTime> made, due;
  };

  Frame* Find(Time frame);
  void Measure(Time frame);

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<Time, Frame> frames_;
  InputClock clock_;
  HoldBudget hold_;
  std::optional<SteadyTime> last_arrival_;
  int settling_ = 0;          // how often what was seen will still be forgotten,
  SteadyTime forget_at_{};    // next at
  std::optional<Time> last_;  // that was encoded
  std::deque<Time> deltas_;
  Time interval_{};
  bool stopped_ = false;
};

}  // namespace framelock::stream
