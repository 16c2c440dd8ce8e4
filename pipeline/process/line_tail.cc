// SPDX-License-Identifier: Apache-2.0
#include "pipeline/process/line_tail.h"

#include <algorithm>
#include <utility>

namespace framelock::process {

void LineTail::Feed(std::string_view bytes, const OnLine& on_line) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    Append(bytes.substr(0, end));
    if (end == std::string_view::npos) return;
    EndLine(on_line);
    bytes.remove_prefix(end + 1);
  }
}

void LineTail::Finish(const OnLine& on_line) {
  if (!line_.empty()) EndLine(on_line);
}

void LineTail::Append(std::string_view part) {
  line_ += part.substr(0, max_line_bytes_ - line_.size());
}

void LineTail::EndLine(const OnLine& on_line) {
  if (!line_.empty() && line_.back() == '\r') line_.pop_back();
  if (on_line) on_line(line_);
  lines_.push_back(std::exchange(line_, {}));
  if (lines_.size() > max_lines_) lines_.pop_front();
}

}  // namespace framelock::process
