// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "pipeline/core/result.h"
#include "pipeline/stream/control.h"

namespace framelock::stream {

/// What the stream says: to framelockd over the control line, or without one as lines of JSON on
/// standard output. Never blocks. When framelockd does not read, a newer status replaces the one
/// that waits, of the texts the newest `max_texts` are kept, and at most kMaxWaiting other
/// messages. One thread.
class Outbox {
 public:
  static constexpr std::size_t kMaxWaiting = 256;

  /// Borrows the channel; null: standard output.
  explicit Outbox(const ControlChannel* channel, std::size_t max_texts = kMaxWaiting)
      : channel_(channel), max_texts_(max_texts) {}

  /// kClosed: framelockd is gone; kResourceLimit: it has not read for too long.
  Status Say(nlohmann::json message);
  Status SayStatus(nlohmann::json status);
  /// One that may be lost: when too many wait, the oldest is dropped.
  Status SayText(nlohmann::json message);
  [[nodiscard]] std::uint64_t dropped_texts() const { return dropped_texts_; }

  /// Poll for writing, then Flush().
  [[nodiscard]] bool waiting() const {
    return !messages_.empty() || !texts_.empty() || status_.has_value();
  }
  Status Flush();
  /// Flushes until everything is out, for at most `patience`.
  void Drain(std::chrono::milliseconds patience);

 private:
  // True: all were sent; false: the line is full.
  Result<bool> TrySendAll(std::deque<nlohmann::json>& messages);
  // True: sent; false: the line is full.
  Result<bool> TrySend(const nlohmann::json& message);

  const ControlChannel* channel_;
  const std::size_t max_texts_;
  std::deque<nlohmann::json> messages_, texts_;
  std::uint64_t dropped_texts_ = 0;
  std::optional<nlohmann::json> status_;
};

}  // namespace framelock::stream
