// SPDX-License-Identifier: Apache-2.0
#include "examples/match_check.h"

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

namespace framelock::demo {

namespace {

constexpr std::int64_t kTicksPerSecond = 90'000;
constexpr std::int64_t kMaxSpreadTicks = 1;
// So many frames in a row must agree on another offset before it counts as a new epoch.
constexpr int kFramesOfAnEpoch = 5;

double Milliseconds(std::chrono::nanoseconds time) {
  return static_cast<double>(time.count() / 1000) / 1000.0;
}

double Percentile(std::vector<std::chrono::microseconds> values, double percent) {
  if (values.empty()) return 0;
  const auto index = static_cast<std::size_t>(percent / 100 * static_cast<double>(values.size()));
  const auto nth = values.begin() + static_cast<std::ptrdiff_t>(std::min(index, values.size() - 1));
  std::nth_element(values.begin(), nth, values.end());
  return Milliseconds(*nth);
}

template <typename T>
nlohmann::json OrNull(const std::optional<T>& value) {
  return value ? nlohmann::json(*value) : nlohmann::json();
}

}  // namespace

Result<Polarity> PolarityFromName(const std::string& name) {
  if (name == "any") return Polarity::kAny;
  if (name == "plain") return Polarity::kPlain;
  if (name == "inverted") return Polarity::kInverted;
  return Error{ErrorCode::kInvalidArgument, "polarity: must be any, plain or inverted"};
}

void MatchCheck::Observe(const Observation& seen) {
  ++frames_;
  if (last_arrival_) max_gap_ = std::max(max_gap_, seen.arrived - *last_arrival_);
  last_arrival_ = seen.arrived;
  if (!seen.read) {
    ++unreadable_;
    return;
  }
  const FrameStamp& stamp = seen.read->stamp;
  const std::int64_t expected = (stamp.number * kTicksPerSecond + options_.frames_per_second / 2) /
                                options_.frames_per_second;
  CheckOffset(seen.pts_ticks - expected);
  CheckOrder(stamp.number);
  CheckPolarity(stamp.number, seen.read->inverted);
  if (latencies_.size() < options_.max_latencies) {
    latencies_.push_back(seen.wall_clock - stamp.sent_at);
  }
}

void MatchCheck::CheckOffset(std::int64_t offset) {
  if (epochs_ == 0) {
    epochs_ = 1;
    offset_min_ = offset_max_ = offset;
    return;
  }
  const std::int64_t low = std::min(offset_min_, offset);
  const std::int64_t high = std::max(offset_max_, offset);
  if (high - low <= kMaxSpreadTicks) {
    offset_min_ = low;
    offset_max_ = high;
    widest_spread_ = std::max(widest_spread_, high - low);
    candidate_.reset();
    return;
  }
  ++mismatched_;
  if (!candidate_ || std::llabs(offset - *candidate_) > kMaxSpreadTicks) {
    candidate_ = offset;
    candidate_frames_ = 0;
  }
  if (++candidate_frames_ < kFramesOfAnEpoch) return;
  // They agree among themselves: a new epoch, and these frames were no mismatches after all.
  mismatched_ -= static_cast<std::uint64_t>(candidate_frames_);
  ++epochs_;
  offset_min_ = std::min(offset, *candidate_);
  offset_max_ = std::max(offset, *candidate_);
  candidate_.reset();
}

void MatchCheck::CheckOrder(std::uint32_t number) {
  if (!first_number_) first_number_ = number;
  if (last_number_ && number == *last_number_) {
    ++duplicated_;
  } else if (last_number_ && number < *last_number_) {
    ++out_of_order_;
  } else if (last_number_) {
    missing_ += number - *last_number_ - 1;
  }
  last_number_ = std::max(last_number_.value_or(number), number);
}

void MatchCheck::CheckPolarity(std::uint32_t number, bool inverted) {
  if (inverted_ && *inverted_ != inverted && changes_.size() < options_.max_listed) {
    changes_.push_back({number, inverted});
  }
  inverted_ = inverted;
  if (inverted) ++inverted_frames_;
  if (options_.polarity == Polarity::kAny) return;
  if (inverted == (options_.polarity == Polarity::kInverted)) {
    ++right_polarity_;
  } else if (right_polarity_ > 0) {
    // Before the first right one the worker may still be starting; after it nothing excuses.
    ++wrong_polarity_;
  }
}

bool MatchCheck::passed() const {
  const bool polarity = options_.polarity == Polarity::kAny || right_polarity_ > 0;
  return frames_ > 0 && unreadable_ == 0 && mismatched_ == 0 && duplicated_ == 0 &&
         out_of_order_ == 0 && wrong_polarity_ == 0 && epochs_ <= options_.max_epochs && polarity;
}

nlohmann::json MatchCheck::Report() const {
  nlohmann::json changes = nlohmann::json::array();
  for (const PolarityChange& change : changes_) {
    changes.push_back({{"number", change.number}, {"inverted", change.inverted}});
  }
  return {
      {"passed", passed()},
      {"frames", frames_},
      {"mismatched", mismatched_},
      {"duplicated", duplicated_},
      {"out_of_order", out_of_order_},
      {"unreadable", unreadable_},
      {"missing_numbers", missing_},
      {"wrong_polarity", wrong_polarity_},
      {"inverted_frames", inverted_frames_},
      {"inverted_now", OrNull(inverted_)},
      {"polarity_changes", changes},
      {"epochs", epochs_},
      {"pts_offset_ticks",
       {{"min", offset_min_}, {"max", offset_max_}, {"widest_spread", widest_spread_}}},
      {"max_gap_ms", Milliseconds(max_gap_)},
      {"latency_ms", {{"p50", Percentile(latencies_, 50)}, {"p99", Percentile(latencies_, 99)}}},
      {"first_number", OrNull(first_number_)},
      {"last_number", OrNull(last_number_)}};
}

}  // namespace framelock::demo
