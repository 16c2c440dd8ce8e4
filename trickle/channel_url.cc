// SPDX-License-Identifier: Apache-2.0
#include "trickle/channel_url.h"

#include <string>

namespace framelock::trickle {

Result<net::Url> ParseChannelUrl(std::string_view text) {
  while (text.ends_with('/')) text.remove_suffix(1);
  Result<net::Url> url = net::Url::Parse(text);
  if (url && url->path() == "/") {
    return Error{ErrorCode::kInvalidArgument, "url: the path names no channel"};
  }
  return url;
}

net::Url SegmentUrl(const net::Url& channel, std::int64_t wire_seq) {
  return channel.Child(std::to_string(wire_seq));
}

}  // namespace framelock::trickle
