// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace framelock::net {

using HttpHeader = std::pair<std::string, std::string>;

/// Status and headers of a final (not 1xx) answer.
struct HttpResponseHead {
  unsigned status = 0;
  std::vector<HttpHeader> headers;

  /// First header of that name, case-insensitively; nullopt if absent (an empty value is a value).
  [[nodiscard]] std::optional<std::string_view> Header(std::string_view name) const;
};

/// Makes a response head of header lines as they arrive: swallows any number of interim answers
/// (1xx) before it and ignores what follows it (trailers). Keeps at most kMaxHeaders headers.
class HttpHeadParser {
 public:
  static constexpr std::size_t kMaxHeaders = 128;

  /// One line, with or without its line end. True once, for the line that ends the final head.
  bool Feed(std::string_view line);
  [[nodiscard]] const HttpResponseHead& head() const { return head_; }
  [[nodiscard]] bool complete() const { return complete_; }

 private:
  HttpResponseHead head_;
  bool complete_ = false;
};

}  // namespace framelock::net
