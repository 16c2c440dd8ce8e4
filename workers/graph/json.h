// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

#include "pipeline/core/result.h"
#include "workers/graph/prompt_limits.h"

namespace framelock::graph {

/// Objects keep their order: ComfyUI reports the first offender of a prompt.
using Json = nlohmann::ordered_json;

/// Whether numbers that JSON lacks are taken: the bare words NaN, Infinity and -Infinity of
/// Python's writer, and {"__nonfinite__": "nan"|"inf"|"-inf"} in their place.
enum class NonFinite { kReject, kAccept };

/// JSON text to a value. The error says what is wrong and where: not JSON, too large, too deep, too
/// many members, a key twice in one object.
Result<Json> ParseJson(std::string_view text, const PromptLimits& limits,
                       NonFinite nonfinite = NonFinite::kReject);

/// JSON text of a value; non-finite numbers become {"__nonfinite__": …}, invalid UTF-8 U+FFFD.
std::string DumpJson(const Json& value);

}  // namespace framelock::graph
