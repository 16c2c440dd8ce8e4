// SPDX-License-Identifier: Apache-2.0
#include "examples/signal_wait.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>

#include <ctime>

namespace framelock::demo {

Result<SignalWait> SignalWait::Create() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  UniqueFd fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) return ErrnoError("create a signal descriptor");
  return SignalWait(std::move(fd));
}

bool SignalWait::SleepUntil(SteadyTime until) {
  using std::chrono::nanoseconds;
  while (!raised_) {
    const nanoseconds left = until - std::chrono::steady_clock::now();
    if (left <= nanoseconds::zero()) return false;
    const timespec timeout{static_cast<time_t>(left.count() / 1'000'000'000),
                           static_cast<long>(left.count() % 1'000'000'000)};
    pollfd entry{fd_.get(), POLLIN, 0};
    if (::ppoll(&entry, 1, &timeout, nullptr) > 0) raised_ = true;
  }
  return true;
}

}  // namespace framelock::demo
