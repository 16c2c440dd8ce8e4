// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <random>
#include <vector>

#include "plugins/frame_line.h"

namespace framelock::plugins {

/// A line of frames with a live source before it and one worker behind it, in time that nobody
/// waits for: it goes from event to event. Each frame's source is its number.
class CadenceSimulation {
 public:
  using Duration = std::chrono::nanoseconds;
  struct Options {
    FrameLine::Options line;
    Duration interval = std::chrono::nanoseconds(33'333'333);
    Duration arrival_noise{};
    /// What the worker takes for the frame that it begins at this time, counted from the start.
    std::function<Duration(Duration begun)> service;
    unsigned seed = 1;
  };
  struct Published {
    Duration pts;
    Duration at;  // both since the start
    Duration age;
    LineOutput::Kind kind;
    std::uint64_t sequence;
  };

  explicit CadenceSimulation(Options options)
      : options_(std::move(options)), line_(options_.line), random_(options_.seed) {
    line_.SetWorker(FrameLine::Worker::kReady);
    next_arrival_ = kStart + Noise();
  }

  void RunFor(Duration time) {
    const SteadyTime end = now_ + time;
    while (Step(end)) {
    }
    now_ = end;
  }

  /// With the frame that it has; the next one is ready when the line is told.
  void LoseWorker() {
    line_.LoseWorker();
    done_.reset();
  }

  FrameLine& line() { return line_; }
  [[nodiscard]] const std::vector<Published>& published() const { return published_; }
  [[nodiscard]] const std::vector<Duration>& services() const { return services_; }
  [[nodiscard]] std::size_t most_waiting() const { return most_waiting_; }
  [[nodiscard]] std::uint64_t entered() const { return number_; }
  Duration now() const { return now_ - kStart; }
  void set_service(std::function<Duration(Duration begun)> service) {
    options_.service = std::move(service);
  }
  void set_interval(Duration interval) { options_.interval = interval; }

 private:
  static constexpr SteadyTime kStart{std::chrono::hours(1)};

  bool Step(SteadyTime end) {
    SteadyTime next = std::min(next_arrival_, done_.value_or(SteadyTime::max()));
    if (const auto deadline = line_.NextDeadline()) {
      next = std::min(next, std::max(*deadline, now_));
    }
    if (next >= end) return false;
    now_ = next;
    if (done_ && *done_ <= now_) {
      line_.Complete(serving_, {4, 4, 1}, now_);
      done_.reset();
    }
    if (next_arrival_ <= now_) Arrive();
    Submit();
    Take();
    Submit();
    return true;
  }

  void Arrive() {
    LineFrame frame;
    frame.pts = pts_;
    line_.Enter(std::move(frame), now_);
    ++number_;
    pts_ += options_.interval;
    next_arrival_ = std::max(now_ + Duration(1), kStart + pts_ + Noise());
  }

  void Submit() {
    if (done_) return;
    const LineFrame* frame = line_.NextToSubmit();
    if (frame == nullptr) return;
    serving_ = frame->sequence;
    line_.Submitted(now_);
    services_.push_back(options_.service(now_ - kStart));
    done_ = now_ + services_.back();
  }

  void Take() {
    while (auto output = line_.Take(now_)) {
      published_.push_back({*output->frame.pts, now_ - kStart, output->latency, output->kind,
                            output->frame.sequence.value});
    }
    // Neither the frame in the worker counts, nor what stands in for others.
    const std::size_t held = line_.account().open - line_.in_flight() - line_.waiting();
    most_waiting_ = std::max(most_waiting_, line_.waiting() + held);
  }

  Duration Noise() {
    if (options_.arrival_noise.count() == 0) return {};
    return Duration(random_() % static_cast<std::uint64_t>(options_.arrival_noise.count()));
  }

  Options options_;
  FrameLine line_;
  std::mt19937_64 random_;
  SteadyTime now_ = kStart;
  SteadyTime next_arrival_ = kStart;
  std::optional<SteadyTime> done_;
  FrameSequence serving_;
  Duration pts_{};
  std::uint64_t number_ = 0;
  std::vector<Published> published_;
  std::vector<Duration> services_;
  std::size_t most_waiting_ = 0;
};

/// Of some durations.
struct Spread {
  double mean_ms = 0, jitter = 0, longest_ms = 0;  // jitter: standard deviation over mean
};
inline Spread SpreadOf(const std::vector<std::chrono::nanoseconds>& values) {
  Spread spread;
  double sum = 0;
  double squares = 0;
  for (const auto value : values) {
    const double ms = std::chrono::duration<double, std::milli>(value).count();
    sum += ms;
    squares += ms * ms;
    spread.longest_ms = std::max(spread.longest_ms, ms);
  }
  const auto count = static_cast<double>(values.size());
  spread.mean_ms = sum / count;
  spread.jitter =
      std::sqrt(std::max(0.0, squares / count - spread.mean_ms * spread.mean_ms)) / spread.mean_ms;
  return spread;
}

/// A worker of so many frames a second, its times even between 70 % and 130 % of the mean.
inline std::function<std::chrono::nanoseconds(std::chrono::nanoseconds)> NoisyWorker(
    double fps, unsigned seed = 1, double noise = 0.3) {
  return [fps, noise, random = std::mt19937(seed)](std::chrono::nanoseconds) mutable {
    const double even = std::uniform_real_distribution<double>(-1, 1)(random);
    return std::chrono::nanoseconds(std::int64_t(1e9 / fps * (1 + noise * even)));
  };
}

}  // namespace framelock::plugins
