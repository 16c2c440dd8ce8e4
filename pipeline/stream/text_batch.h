// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>

#include "pipeline/core/clock.h"

namespace framelock::stream {

/// Which lines of JSON go into which segment of a data channel, and when: those of one interval
/// into one segment, at once if none went out for so long; and "[]", so that the channel is not
/// swept, when there was nothing to say for the keep-alive time. When full the oldest line is
/// dropped, and counted. Plain logic: the caller brings the time. One thread.
class TextBatch {
 public:
  struct Options {
    std::chrono::milliseconds interval{333};
    std::chrono::milliseconds keep_alive{25'000};
    std::size_t max_lines = 256;
  };

  TextBatch(const Options& options, SteadyTime now) : options_(options), left_(now) {}

  /// `line` has no line feed.
  void Add(std::string line) {
    if (lines_.size() >= options_.max_lines) {
      lines_.pop_front();
      ++dropped_;
    }
    lines_.push_back(std::move(line));
  }

  /// When Take() has something, without any other call.
  [[nodiscard]] SteadyTime NextDeadline() const {
    return left_ + (lines_.empty() ? options_.keep_alive : options_.interval);
  }
  /// The next segment; nullopt: it is not time.
  std::optional<std::string> Take(SteadyTime now) {
    if (now < NextDeadline()) return std::nullopt;
    left_ = now;
    if (lines_.empty()) return "[]\n";
    return TakeAll();
  }
  /// What waits, whatever the time; empty: nothing.
  std::string TakeAll() {
    std::string segment;
    for (const std::string& line : std::exchange(lines_, {})) segment += line + "\n";
    return segment;
  }

  [[nodiscard]] std::size_t size() const { return lines_.size(); }
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

 private:
  const Options options_;
  std::deque<std::string> lines_;
  SteadyTime left_;  // when the last segment did
  std::uint64_t dropped_ = 0;
};

}  // namespace framelock::stream
