// SPDX-License-Identifier: Apache-2.0
#include "pipeline/process/child_log.h"

#include <spdlog/spdlog.h>

#include <chrono>

#include "pipeline/core/log_line.h"

namespace framelock::process {

bool ChildLog::Drain(ChildProcess& child, SteadyTime now) {
  const bool open = child.DrainStderr([&](const std::string& line) { Write(line, now); });
  Turn(now);
  if (!open) TellDropped();
  return open;
}

void ChildLog::Write(const std::string& line, SteadyTime now) {
  Turn(now);
  if (lines_ == kMaxLinesPerSecond) {
    ++dropped_;
    return;
  }
  ++lines_;
  spdlog::log(LevelOfLogLine(line).value_or(spdlog::level::info), "{} | {}", label_, line);
}

void ChildLog::Turn(SteadyTime now) {
  if (now - second_began_ < std::chrono::seconds(1)) return;
  TellDropped();
  second_began_ = now;
  lines_ = 0;
}

void ChildLog::TellDropped() {
  if (dropped_ > 0) spdlog::warn("{} {} lines dropped", label_, dropped_);
  dropped_ = 0;
}

}  // namespace framelock::process
