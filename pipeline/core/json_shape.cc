// SPDX-License-Identifier: Apache-2.0
#include "pipeline/core/json_shape.h"

#include <string>

namespace framelock {

Status CheckJsonShape(std::string_view text, const JsonLimits& limits) {
  std::size_t depth = 0;
  std::size_t values = 1;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
      continue;
    }
    if (c == '"') in_string = true;
    if (c == ']' || c == '}') depth -= depth > 0 ? 1 : 0;
    if (c == '[' || c == '{') ++depth;
    if (c == '[' || c == '{' || c == ',') ++values;
    if (depth > limits.max_depth) {
      return Error{ErrorCode::kResourceLimit,
                   "nested deeper than " + std::to_string(limits.max_depth) + " levels"};
    }
    if (values > limits.max_values) {
      return Error{ErrorCode::kResourceLimit,
                   "more than " + std::to_string(limits.max_values) + " values"};
    }
  }
  return {};
}

}  // namespace framelock
