// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "pipeline/core/result.h"
#include "pipeline/core/unique_fd.h"

namespace framelock {

/// A wake-up that can be polled: any thread notifies, one thread polls fd() and drains.
class EventFd {
 public:
  static Result<EventFd> Create();

  [[nodiscard]] int fd() const { return fd_.get(); }
  /// Makes fd() readable. Any thread; async-signal-safe.
  void Notify() const;
  /// Makes fd() unreadable again; true if there was a notification.
  bool Drain() const;

 private:
  explicit EventFd(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

}  // namespace framelock
