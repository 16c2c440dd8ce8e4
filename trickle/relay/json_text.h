// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace framelock::relay {

/// A JSON string literal with its quotes. Bytes that are not UTF-8 become U+FFFD, so that the
/// result is always valid JSON.
std::string JsonText(std::string_view text);

}  // namespace framelock::relay
