// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

#include "api/json_text.h"
#include "api/prompt_choice.h"
#include "pipeline/core/result.h"
#include "pipeline/stream/stream_config.h"

namespace framelock::api {

/// What POST /stream/{id}/update-prompts asks for, checked against the running stream.
struct UpdateRequest {
  PromptChoice prompt;
  bool parameters_given = false;
  /// Parameters that do not hold for this stream and cannot be changed while it runs: name, reason.
  std::vector<std::pair<std::string, std::string>> refused_parameters;
};

/// Exactly one of `prompt` and `prompts`; `parameters`: an object or null. kInvalidArgument: the
/// sentence for the client.
Result<UpdateRequest> ParseUpdateRequest(const nlohmann::json& body,
                                         const stream::StreamConfig& running,
                                         const JsonLimits& prompt_limits);

}  // namespace framelock::api
