// SPDX-License-Identifier: Apache-2.0
#include "api/stream_url.h"

#include "pipeline/net/url.h"

namespace framelock::api {

Result<std::string> CheckStreamUrl(std::string_view url) {
  const Result<net::Url> parsed = net::Url::Parse(url, {"http", "https", "ws", "wss"});
  if (!parsed) return parsed.error();
  const bool trickle = parsed->scheme().starts_with("http");
  if (trickle && parsed->path().find_first_not_of('/') == std::string::npos) {
    return Error{ErrorCode::kInvalidArgument, "url: the path names no channel"};
  }
  return parsed->scheme() + std::string(url.substr(parsed->scheme().size()));
}

}  // namespace framelock::api
