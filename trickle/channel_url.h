// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "pipeline/core/result.h"
#include "pipeline/net/url.h"

namespace framelock::trickle {

/// The address of a channel: http or https, with a channel name at the end of the path. A slash at
/// the end is dropped. kInvalidArgument.
Result<net::Url> ParseChannelUrl(std::string_view text);

/// CHANNEL/SEQ; `wire_seq` may be kWireNext or kWireCurrent.
net::Url SegmentUrl(const net::Url& channel, std::int64_t wire_seq);

}  // namespace framelock::trickle
