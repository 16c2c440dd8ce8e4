// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>

namespace framelock::api {

/// The body of "400 Prompt validation failed", made from what a worker said of a prompt:
/// {"error":…,"node_errors":{…}}, or the node errors alone. The worker may be anybody's program,
/// so every field is optional here and every type is checked; at most kMaxValidationErrors entries.
nlohmann::json PromptValidationBody(std::string_view worker_errors_json);

inline constexpr std::size_t kMaxValidationErrors = 1000;

}  // namespace framelock::api
