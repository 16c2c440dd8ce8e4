// SPDX-License-Identifier: Apache-2.0
#include "pipeline/core/event_fd.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>

namespace framelock {

Result<EventFd> EventFd::Create() {
  UniqueFd fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!fd) return ErrnoError("create an eventfd");
  return EventFd(std::move(fd));
}

void EventFd::Notify() const {
  const std::uint64_t one = 1;
  // EAGAIN means the counter is full, so the reader is woken anyway.
  [[maybe_unused]] const auto written = ::write(fd_.get(), &one, sizeof one);
}

bool EventFd::Drain() const {
  std::uint64_t count = 0;
  return ::read(fd_.get(), &count, sizeof count) == sizeof count;
}

}  // namespace framelock
