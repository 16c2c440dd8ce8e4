// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>

namespace framelock {

/// Bytes of the well-formed UTF-8 character at the front of `text`; 0: there is none.
std::size_t Utf8Length(std::string_view text);

}  // namespace framelock
