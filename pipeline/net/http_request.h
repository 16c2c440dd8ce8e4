// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipeline/core/result.h"

namespace framelock::net {

using HttpHeader = std::pair<std::string, std::string>;

/// The head of one request, as the server read it.
struct HttpRequest {
  std::string method;  // as sent: "GET"
  std::string target;  // as sent: "/a%2Fb/0?x=1"
  std::string path;    // target without the query, not percent-decoded
  std::string query;   // behind '?', or empty
  std::vector<HttpHeader> headers;
  unsigned version = 11;  // 10 or 11
  std::string remote;     // "127.0.0.1:43210"

  /// First header of that name, case-insensitively; nullopt if absent (an empty value is a value).
  [[nodiscard]] std::optional<std::string_view> Header(std::string_view name) const;
};

/// Compares ASCII text without regard to case.
bool EqualsIgnoringCase(std::string_view left, std::string_view right);

/// True if a comma-separated list ("keep-alive, Upgrade") holds the token.
bool ListHasToken(std::string_view list, std::string_view token);

/// Percent-decoding of one path part or query value; kInvalidArgument for broken escapes or NUL.
Result<std::string> PercentDecode(std::string_view text);

}  // namespace framelock::net
