// SPDX-License-Identifier: Apache-2.0
#include "workers/nodes/hex_color.h"

#include <charconv>
#include <string>

namespace framelock::nodes {

Result<HexColor> ParseHexColor(std::string_view digits) {
  HexColor color;
  for (std::uint8_t* channel : {&color.red, &color.green, &color.blue}) {
    const std::string_view pair = digits.substr(0, 2);
    const auto [end, error] = std::from_chars(pair.data(), pair.data() + pair.size(), *channel, 16);
    if (pair.size() < 2 || error != std::errc() || end != pair.data() + pair.size()) {
      return Error{ErrorCode::kInvalidArgument,
                   std::string("'").append(pair) + "' is not two hexadecimal digits of a color"};
    }
    digits.remove_prefix(2);
  }
  return color;
}

}  // namespace framelock::nodes
