// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "examples/frame_stamp.h"
#include "pipeline/core/clock.h"
#include "pipeline/core/result.h"

namespace framelock::demo {

/// Which way round the pixels of the output must be.
enum class Polarity : std::uint8_t { kAny, kPlain, kInverted };

/// "any", "plain", "inverted".
Result<Polarity> PolarityFromName(const std::string& name);

/// Judges a channel frame by frame: does each frame carry the time that belongs to the number in
/// its pixels, do the numbers only go up, is the picture the right way round. Not thread-safe.
class MatchCheck {
 public:
  struct Options {
    int frames_per_second = 30;  // of the source: frame k has pts k / frames_per_second
    Polarity polarity = Polarity::kAny;
    int max_epochs = 1;             // how often the offset may start anew, the first included
    std::size_t max_listed = 1000;  // polarity changes kept in the report
    std::size_t max_latencies = 1u << 20;
  };

  struct Observation {
    std::int64_t pts_ticks = 0;              // 90 kHz
    std::optional<ReadStamp> read;           // as FindStamp gave it
    SteadyTime arrived;                      // for the gaps
    std::chrono::microseconds wall_clock{};  // when it arrived, for the latency
  };

  explicit MatchCheck(const Options& options) : options_(options) {}

  void Observe(const Observation& seen);

  [[nodiscard]] std::uint64_t frames() const { return frames_; }
  [[nodiscard]] bool passed() const;
  /// The figures so far, as one JSON object.
  [[nodiscard]] nlohmann::json Report() const;

 private:
  struct PolarityChange {
    std::uint32_t number;
    bool inverted;
  };

  void CheckOffset(std::int64_t offset);
  void CheckOrder(std::uint32_t number);
  void CheckPolarity(std::uint32_t number, bool inverted);

  const Options options_;
  std::uint64_t frames_ = 0, unreadable_ = 0, mismatched_ = 0, duplicated_ = 0, out_of_order_ = 0;
  std::uint64_t wrong_polarity_ = 0, right_polarity_ = 0, missing_ = 0, inverted_frames_ = 0;
  int epochs_ = 0;
  std::int64_t offset_min_ = 0, offset_max_ = 0;  // of this epoch, in 90 kHz ticks
  std::optional<std::int64_t> candidate_;         // offset of an epoch that may have begun
  int candidate_frames_ = 0;
  std::int64_t widest_spread_ = 0;
  std::optional<std::uint32_t> first_number_, last_number_;
  std::optional<bool> inverted_;
  std::vector<PolarityChange> changes_;
  std::optional<SteadyTime> last_arrival_;
  std::chrono::nanoseconds max_gap_{0};
  std::vector<std::chrono::microseconds> latencies_;
};

}  // namespace framelock::demo
