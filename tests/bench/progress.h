// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string_view>
#include <thread>

namespace framelock::bench {

/// Says on standard error what is measured from now on, and how long the run has lasted. Any
/// thread.
void TellProgress(std::string_view what);

/// Ends the process when TellProgress was silent for `longest`: a measurement that hangs must not
/// hold up a run for ever. The programs under test go with us. Has a thread of its own.
class StallGuard {
 public:
  explicit StallGuard(std::chrono::seconds longest);
  StallGuard(const StallGuard&) = delete;
  StallGuard& operator=(const StallGuard&) = delete;

 private:
  std::jthread thread_;
};

}  // namespace framelock::bench
