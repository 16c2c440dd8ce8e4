// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pipeline/process/child_process.h"

namespace framelock::process {

/// What the end of a process means to whoever restarts it.
enum class EndKind : std::uint8_t {
  kStopped,      // exit code 0
  kFailed,       // any other exit code: it noticed something itself
  kCrashed,      // a signal
  kOutOfMemory,  // it said so on stderr before it ended
};

/// The end of a process, explained for logs and status texts.
struct EndReport {
  EndKind kind = EndKind::kStopped;
  /// "stopped", "failed: exit code 3", "crashed: signal 11 (SIGSEGV)",
  /// "out of memory: signal 6 (SIGABRT)".
  std::string text;
  /// The last lines of stderr, at most kMaxLines.
  std::vector<std::string> last_lines;

  static constexpr std::size_t kMaxLines = 5;
};

EndReport ExplainEnd(const ExitStatus& status, const std::vector<std::string>& stderr_tail);

}  // namespace framelock::process
