// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <utility>

#include "pipeline/core/clock.h"
#include "pipeline/process/child_process.h"

namespace framelock::process {

/// A child's stderr in our log: each line at the level that it names, else at info. At most
/// kMaxLinesPerSecond a second; the rest is dropped and counted. Not thread-safe.
class ChildLog {
 public:
  static constexpr std::size_t kMaxLinesPerSecond = 20;

  /// `label` stands before each line: "worker=12".
  explicit ChildLog(std::string label) : label_(std::move(label)) {}

  /// Writes what is there, and how many lines of a second now over (or of a pipe now ended) were
  /// dropped. Never blocks. False once the pipe has ended.
  bool Drain(ChildProcess& child, SteadyTime now);
  void Write(const std::string& line, SteadyTime now);

 private:
  void Turn(SteadyTime now);
  void TellDropped();

  std::string label_;
  SteadyTime second_began_{};
  std::size_t lines_ = 0;  // of this second, as the next
  std::size_t dropped_ = 0;
};

}  // namespace framelock::process
