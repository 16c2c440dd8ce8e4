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

/// Which texts go into which segment of a data channel, and when: those of one interval into one
/// segment, a JSON array of strings a line, as pytrickle's clients read them; at once if none went
/// out for so long; and "[]", so that the channel is not swept, when there was nothing to say for
/// the keep-alive time. When full the oldest text is dropped, and counted, and so is one that is
/// longer than a line may be. Plain logic: the caller
/// brings the time. One thread.
class TextBatch {
 public:
  struct Options {
    std::chrono::milliseconds interval{333};
    std::chrono::milliseconds keep_alive{25'000};
    std::size_t max_texts = 256;
    std::size_t max_bytes = 512u << 10;   // of them all; the newest is kept whatever its size
    std::size_t max_line_bytes = 65'000;  // gateways read 64 KiB
  };

  TextBatch(const Options& options, SteadyTime now) : options_(options), left_(now) {}

  /// A string in JSON, quoted and without line feed.
  void Add(std::string text) {
    if (text.size() + 2 > options_.max_line_bytes) {
      ++dropped_;
      return;
    }
    bytes_ += text.size();
    texts_.push_back(std::move(text));
    while (texts_.size() > 1 &&
           (texts_.size() > options_.max_texts || bytes_ > options_.max_bytes)) {
      bytes_ -= texts_.front().size();
      texts_.pop_front();
      ++dropped_;
    }
  }

  /// When Take() has something, without any other call.
  [[nodiscard]] SteadyTime NextDeadline() const {
    return left_ + (texts_.empty() ? options_.keep_alive : options_.interval);
  }
  /// The next segment; nullopt: it is not time.
  std::optional<std::string> Take(SteadyTime now) {
    if (now < NextDeadline()) return std::nullopt;
    left_ = now;
    if (texts_.empty()) return "[]\n";
    return TakeAll();
  }
  /// What waits, whatever the time; empty: nothing.
  std::string TakeAll() {
    std::string segment;
    std::size_t line = 0;  // bytes of it
    bytes_ = 0;
    for (const std::string& text : std::exchange(texts_, {})) {
      const bool goes_on = line > 0 && line + 1 + text.size() <= options_.max_line_bytes;
      segment += goes_on ? "," : segment.empty() ? "[" : "]\n[";
      segment += text;
      line = goes_on ? line + 1 + text.size() : text.size() + 2;
    }
    return segment.empty() ? segment : segment + "]\n";
  }

  [[nodiscard]] std::size_t size() const { return texts_.size(); }
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

 private:
  const Options options_;
  std::deque<std::string> texts_;
  std::size_t bytes_ = 0;  // of them
  SteadyTime left_;        // when the last segment did
  std::uint64_t dropped_ = 0;
};

}  // namespace framelock::stream
