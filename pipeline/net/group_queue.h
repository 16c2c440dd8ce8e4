// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

namespace framelock::net {

/// Messages waiting to be sent, in groups that are only of use from their beginning (a group of
/// pictures). Bounded in bytes. When full it drops whole groups that were not begun, oldest first,
/// so that a slow peer gets the freshest whole groups; the rest of a group it could not keep is
/// refused up to the next group's start. Not thread-safe; its owner locks.
class GroupQueue {
 public:
  enum class Position : std::uint8_t { kStartsGroup, kContinuesGroup };
  using Message = std::vector<std::byte>;

  explicit GroupQueue(std::size_t capacity_bytes) : capacity_bytes_(capacity_bytes) {}

  /// False: the message was dropped, and counted. A message that alone exceeds the bound is taken
  /// by an empty queue only, so that progress is always possible.
  bool Push(Message message, Position position);
  std::optional<Message> Pop();
  /// Drops what is left of a begun group: the next Pop starts a group. For a new connection.
  void SkipBegunGroup();

  [[nodiscard]] bool empty() const { return messages_.empty(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  [[nodiscard]] std::uint64_t dropped_messages() const { return dropped_messages_; }
  /// Groups that lost at least their end.
  [[nodiscard]] std::uint64_t dropped_groups() const { return dropped_groups_; }

 private:
  struct Entry {
    Message message;
    std::uint64_t group;
  };
  static constexpr std::size_t kEntryCost = 64;  // so that tiny messages are bounded, too

  [[nodiscard]] bool HasRoom(std::size_t cost) const;
  void MakeRoom(std::size_t cost);
  void RemoveGroup(std::uint64_t group);
  void CountGroup(std::uint64_t group);

  const std::size_t capacity_bytes_;
  std::deque<Entry> messages_;
  std::size_t bytes_ = 0;
  std::uint64_t last_group_ = 0;                // that of the last Push
  std::optional<std::uint64_t> begun_group_;    // that of the last Pop
  std::optional<std::uint64_t> refused_group_;  // its remaining messages are dropped
  std::uint64_t last_dropped_group_ = 0;
  std::uint64_t dropped_messages_ = 0;
  std::uint64_t dropped_groups_ = 0;
};

}  // namespace framelock::net
