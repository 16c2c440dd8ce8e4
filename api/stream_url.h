// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "pipeline/core/result.h"

namespace framelock::api {

inline constexpr std::size_t kMaxUrlBytes = 2048;

/// Checks an address from a request: http, https, ws or wss, a host, a port in range, no control
/// characters. kInvalidArgument says what is wrong; the text never repeats the address, which may
/// hold a password.
Status CheckStreamUrl(std::string_view url);

/// The address for answers and logs: user and password replaced by "***".
std::string RedactUrl(std::string_view url);

}  // namespace framelock::api
