// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "pipeline/core/result.h"
#include "pipeline/stream/control.h"

namespace framelock::stream {

/// What the stream says: to framelockd over the control line, or without one as lines of JSON on
/// standard output. Never blocks. When framelockd does not read, a newer status replaces the one
/// that waits, and at most kMaxWaiting other messages are kept. One thread.
class Outbox {
 public:
  static constexpr std::size_t kMaxWaiting = 256;

  /// Borrows the channel; null: standard output.
  explicit Outbox(const ControlChannel* channel) : channel_(channel) {}

  /// kClosed: framelockd is gone; kResourceLimit: it has not read for too long.
  Status Say(nlohmann::json message);
  Status SayStatus(nlohmann::json status);

  /// Poll for writing, then Flush().
  [[nodiscard]] bool waiting() const { return !messages_.empty() || status_.has_value(); }
  Status Flush();
  /// Flushes until everything is out, for at most `patience`.
  void Drain(std::chrono::milliseconds patience);

 private:
  // True: sent; false: the line is full.
  Result<bool> TrySend(const nlohmann::json& message);

  const ControlChannel* channel_;
  std::deque<nlohmann::json> messages_;
  std::optional<nlohmann::json> status_;
};

}  // namespace framelock::stream
