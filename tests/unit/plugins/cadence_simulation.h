// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <random>
#include <vector>

#include "plugins/frame_line.h"

namespace framelock::plugins {

/// A line of frames with a live source before it and a worker behind it, in time that nobody
/// waits for: it goes from event to event. Each frame's source is its number.
class CadenceSimulation {
 public:
  using Duration = std::chrono::nanoseconds;
  struct Options {
    FrameLine::Options line;
    Duration interval = std::chrono::nanoseconds(33'333'333);
    Duration arrival_noise{};
    std::size_t abreast = 1;  // frames that the worker takes at a time; others wait in it
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
    queue_.clear();
    serving_.clear();
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

  struct Serving {
    FrameSequence sequence;
    SteadyTime done;
  };

  bool Step(SteadyTime end) {
    SteadyTime next = next_arrival_;
    for (const Serving& each : serving_) next = std::min(next, each.done);
    if (const auto deadline = line_.NextDeadline()) {
      next = std::min(next, std::max(*deadline, now_));
    }
    if (next >= end) return false;
    now_ = next;
    std::erase_if(serving_, [this](const Serving& each) {
      if (each.done > now_) return false;
      line_.Complete(each.sequence, {4, 4, 1}, now_);
      return true;
    });
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
    while (const LineFrame* frame = line_.NextToSubmit()) {
      queue_.push_back(frame->sequence);
      line_.Submitted(now_);
    }
    while (!queue_.empty() && serving_.size() < options_.abreast) {
      services_.push_back(options_.service(now_ - kStart));
      serving_.push_back({queue_.front(), now_ + services_.back()});
      queue_.pop_front();
    }
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
  std::deque<FrameSequence> queue_;
  std::vector<Serving> serving_;
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
