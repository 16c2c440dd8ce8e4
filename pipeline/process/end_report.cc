// SPDX-License-Identifier: Apache-2.0
#include "pipeline/process/end_report.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <string_view>

namespace framelock::process {

namespace {

constexpr std::array<std::string_view, 5> kOutOfMemoryPhrases = {
    "std::bad_alloc", "out of memory", "Out of memory", "Cannot allocate memory", "MemoryError"};

bool SaysOutOfMemory(const std::vector<std::string>& lines) {
  return std::ranges::any_of(lines, [](const std::string& line) {
    return std::ranges::any_of(kOutOfMemoryPhrases, [&line](std::string_view phrase) {
      return line.find(phrase) != std::string::npos;
    });
  });
}

}  // namespace

std::string ExitStatus::ToString() const {
  if (!signalled) return "exit code " + std::to_string(code);
  const char* name = ::sigabbrev_np(code);
  const std::string text = "signal " + std::to_string(code);
  return name == nullptr ? text : text + " (SIG" + name + ")";
}

EndReport ExplainEnd(const ExitStatus& status, const std::vector<std::string>& stderr_tail) {
  EndReport report;
  const std::size_t count = std::min(stderr_tail.size(), EndReport::kMaxLines);
  report.last_lines.assign(stderr_tail.end() - static_cast<std::ptrdiff_t>(count),
                           stderr_tail.end());
  if (!status.signalled && status.code == 0) {
    report.text = "stopped";
    return report;
  }
  if (SaysOutOfMemory(report.last_lines)) {
    report.kind = EndKind::kOutOfMemory;
    report.text = "out of memory: ";
  } else if (status.signalled) {
    report.kind = EndKind::kCrashed;
    report.text = "crashed: ";
  } else {
    report.kind = EndKind::kFailed;
    report.text = "failed: ";
  }
  report.text += status.ToString();
  return report;
}

}  // namespace framelock::process
