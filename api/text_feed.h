// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace framelock::api {

/// What a stream's graph said last, as server-sent events, for any number of readers that come and
/// go. Each has a position of its own and no queue: one that is too slow misses the oldest, and
/// learns how many. Owned by the stream; its media process, and that process's successor, fill it.
/// Loop thread only.
class TextFeed {
 public:
  /// Where a reader is. Make it by End().
  using Position = std::uint64_t;

  static constexpr std::size_t kPieceBytes = 65'536;
  static constexpr std::size_t kMostBytes = 8U << 20;  // of all events that are kept

  explicit TextFeed(std::size_t max_waiting) : max_waiting_(max_waiting) {}

  /// Enters a "text" of the control line; other messages are none of its business. The process
  /// decodes foreign bytes, so fields of the wrong type make it no text.
  void Take(const nlohmann::json& message);

  /// Whoever reads keeps this meanwhile, so that readers can be counted.
  [[nodiscard]] std::shared_ptr<const void> Join() const { return readers_; }
  [[nodiscard]] std::size_t readers() const {
    return static_cast<std::size_t>(readers_.use_count() - 1);
  }
  [[nodiscard]] Position End() const { return first_ + events_.size(); }
  /// The events from `position` on, which moves behind them: a piece of no more than some
  /// kPieceBytes; empty: there are none. What was missed is a comment in front.
  std::string Read(Position& position) const;

 private:
  const std::size_t max_waiting_;
  const std::shared_ptr<const void> readers_ = std::make_shared<char>();
  std::deque<std::string> events_;
  std::size_t bytes_ = 0;  // of them
  Position first_ = 0;     // of events_.front()
};

}  // namespace framelock::api
