// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace framelock::net {

/// The MD5 digest as 32 hexadecimal digits. It names things; it protects nothing.
std::string Md5Hex(std::string_view text);

}  // namespace framelock::net
