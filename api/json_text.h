// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "pipeline/core/json_shape.h"
#include "pipeline/core/result.h"

namespace framelock::api {

/// The parsed document. kResourceLimit as above; kInvalidArgument with position and reason for a
/// text that is not JSON (NaN and Infinity are not).
Result<nlohmann::json> ParseJson(std::string_view text, const JsonLimits& limits = {});

/// True if `value` nests deeper. Without recursion; ask before copying or writing a value that a
/// parser without a bound has made.
bool IsDeeperThan(const nlohmann::json& value, std::size_t max_depth);

/// An integer, or a text that holds one; nullopt for anything else.
std::optional<std::int64_t> WholeNumber(const nlohmann::json& value);

/// Compact text; never throws (ill-formed UTF-8, which only a peer's log lines can hold, is
/// replaced).
std::string DumpJson(const nlohmann::json& value);

}  // namespace framelock::api
