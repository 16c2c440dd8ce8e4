// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "pipeline/core/result.h"

namespace framelock::api {

/// Checks an address from a request as the stream's elements will read it: net::Url's rules; http
/// and https name a trickle channel, ws and wss a WebSocket. Returns it with its scheme in lower
/// case. kInvalidArgument says what is wrong; the text never repeats the address, which may hold a
/// secret.
Result<std::string> CheckStreamUrl(std::string_view url);

}  // namespace framelock::api
