// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>

namespace framelock {

/// What a push into a full queue does.
enum class FullPolicy : std::uint8_t {
  kBlock,       // waits for room: the producer is slowed down
  kDropOldest,  // makes room: the freshest survive
  kRejectNew,   // refuses the newcomer
};

/// How a push ended. "Full" is a status, not an error.
enum class PushStatus : std::uint8_t { kPushed, kDroppedOldest, kRejected, kClosed, kStopped };

/// A queue with a bound in cost units (items by default, bytes where the owner says so), a named
/// full-policy and a drop counter. Any number of producers and consumers. After Close() pushes are
/// refused and pops drain what is left. An item that alone exceeds the bound is accepted only by
/// an empty queue, so that progress is always possible.
template <typename T>
class BoundedQueue {
 public:
  BoundedQueue(std::size_t capacity, FullPolicy policy) : capacity_(capacity), policy_(policy) {}

  PushStatus Push(T item, std::size_t cost = 1, std::stop_token stop = {}) {
    std::unique_lock lock(mutex_);
    PushStatus status = PushStatus::kPushed;
    if (closed_) return PushStatus::kClosed;
    if (!HasRoom(cost)) {
      if (policy_ == FullPolicy::kRejectNew) {
        ++dropped_;
        return PushStatus::kRejected;
      }
      if (policy_ == FullPolicy::kBlock) {
        if (!changed_.wait(lock, stop, [&] { return closed_ || HasRoom(cost); })) {
          return PushStatus::kStopped;
        }
        if (closed_) return PushStatus::kClosed;
      }
      while (!HasRoom(cost)) {
        cost_ -= items_.front().second;
        items_.pop_front();
        ++dropped_;
        status = PushStatus::kDroppedOldest;
      }
    }
    items_.emplace_back(std::move(item), cost);
    cost_ += cost;
    changed_.notify_all();
    return status;
  }

  /// Waits for an item; nullopt once the queue is closed and empty, or stop was requested.
  std::optional<T> Pop(std::stop_token stop = {}) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait(lock, stop, [&] { return closed_ || !items_.empty(); })) return std::nullopt;
    return TakeFront();
  }

  std::optional<T> TryPop() {
    const std::lock_guard lock(mutex_);
    return TakeFront();
  }

  void Close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    changed_.notify_all();
  }

  [[nodiscard]] std::size_t cost() const {
    const std::lock_guard lock(mutex_);
    return cost_;
  }
  [[nodiscard]] std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return items_.size();
  }
  [[nodiscard]] std::uint64_t dropped() const {
    const std::lock_guard lock(mutex_);
    return dropped_;
  }
  [[nodiscard]] bool closed() const {
    const std::lock_guard lock(mutex_);
    return closed_;
  }

 private:
  [[nodiscard]] bool HasRoom(std::size_t cost) const {
    return items_.empty() || cost_ + cost <= capacity_;
  }

  std::optional<T> TakeFront() {
    if (items_.empty()) return std::nullopt;
    std::optional<T> item(std::move(items_.front().first));
    cost_ -= items_.front().second;
    items_.pop_front();
    changed_.notify_all();
    return item;
  }

  const std::size_t capacity_;
  const FullPolicy policy_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<std::pair<T, std::size_t>> items_;  // each with its cost
  std::size_t cost_ = 0;
  std::uint64_t dropped_ = 0;
  bool closed_ = false;
};

}  // namespace framelock
