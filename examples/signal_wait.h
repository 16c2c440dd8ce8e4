// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>

#include "pipeline/core/clock.h"
#include "pipeline/core/result.h"
#include "pipeline/core/unique_fd.h"

namespace framelock::demo {

/// SIGINT and SIGTERM as something to wait for. Create it before any thread starts, so that all
/// threads inherit the blocked mask.
class SignalWait {
 public:
  static Result<SignalWait> Create();

  /// Sleeps until `until`; true at once if a signal came.
  [[nodiscard]] bool SleepUntil(SteadyTime until);

 private:
  explicit SignalWait(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
  bool raised_ = false;
};

}  // namespace framelock::demo
