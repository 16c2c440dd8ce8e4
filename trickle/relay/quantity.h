// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <string_view>

#include "pipeline/core/result.h"

namespace framelock::relay {

/// "500ms", "2s", "5m", "1h": a whole number and its unit, at most a year. kInvalidArgument.
Result<std::chrono::milliseconds> ParseDuration(std::string_view text);

/// "4096", "64K", "16M", "1G": bytes, in steps of 1024. kInvalidArgument.
Result<std::size_t> ParseByteSize(std::string_view text);

}  // namespace framelock::relay
