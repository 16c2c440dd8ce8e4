// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "pipeline/core/result.h"

namespace framelock::nodes {

struct HexColor {
  std::uint8_t red = 0;
  std::uint8_t green = 0;
  std::uint8_t blue = 0;
};

/// "rrggbb", without a number sign; what follows is not looked at.
Result<HexColor> ParseHexColor(std::string_view digits);

}  // namespace framelock::nodes
