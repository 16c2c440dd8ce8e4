// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "pipeline/core/result.h"
#include "pipeline/net/http_request.h"

namespace framelock::net {

/// How the end of a response is told to the peer.
struct ResponseFraming {
  std::optional<std::uint64_t> content_length;
  bool chunked = false;
  bool close = false;       // "Connection: close"
  bool keep_alive = false;  // "Connection: keep-alive", for HTTP/1.0 peers that asked
};

/// The standard reason phrase; "Unknown" for a status without one.
std::string_view ReasonPhrase(unsigned status);

/// Status line and headers, with the empty line. kInvalidArgument for a header that would break out
/// of its line or contradict the framing.
Result<std::string> FormatResponseHead(unsigned status, std::string_view reason,
                                       std::span<const HttpHeader> headers,
                                       const ResponseFraming& framing);

}  // namespace framelock::net
