// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace framelock::test {

/// The CRC at the end of a table's section, over all before it.
inline std::uint32_t TsCrc(std::string_view section) {
  std::uint32_t crc = 0xffffffff;
  for (const char byte : section) {
    for (int bit = 7; bit >= 0; --bit) {
      const std::uint32_t in = static_cast<std::uint8_t>(byte) >> bit & 1;
      crc = crc << 1 ^ ((crc >> 31) != in ? 0x04c11db7U : 0U);
    }
  }
  return crc;
}

}  // namespace framelock::test
