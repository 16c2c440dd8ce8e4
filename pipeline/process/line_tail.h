// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace framelock::process {

/// Cuts a byte stream into lines and keeps the last ones. Both bounded: a longer line is cut and
/// its rest dropped, older lines give way. Not thread-safe.
class LineTail {
 public:
  using OnLine = std::function<void(const std::string&)>;

  LineTail(std::size_t max_lines, std::size_t max_line_bytes)
      : max_lines_(max_lines), max_line_bytes_(max_line_bytes) {}

  /// Takes more bytes; hands each line that they complete to `on_line` (may be empty).
  void Feed(std::string_view bytes, const OnLine& on_line);
  /// The stream has ended: what stands there without a line end is a line too.
  void Finish(const OnLine& on_line);

  [[nodiscard]] std::vector<std::string> lines() const { return {lines_.begin(), lines_.end()}; }

 private:
  void Append(std::string_view part);
  void EndLine(const OnLine& on_line);

  std::size_t max_lines_;
  std::size_t max_line_bytes_;
  std::string line_;
  std::deque<std::string> lines_;
};

}  // namespace framelock::process
