// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>

#include "pipeline/core/result.h"

namespace framelock {

/// What a JSON document from outside may look like. Checked by a scan without recursion before any
/// parser sees the text.
struct JsonLimits {
  std::size_t max_depth = 64;
  std::size_t max_values = 200'000;
};

/// kResourceLimit when brackets nest deeper or separators are more than allowed. Says nothing about
/// the syntax.
Status CheckJsonShape(std::string_view text, const JsonLimits& limits);

}  // namespace framelock
