// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/json_text.h"
#include "api/prompt_choice.h"
#include "api/workspace_root.h"
#include "pipeline/core/result.h"
#include "pipeline/stream/stream_config.h"

namespace framelock::api {

/// What POST /stream/{id}/update-prompts asks for, checked.
struct UpdateRequest {
  PromptChoice prompt;
  std::optional<int> width, height;  // of the graph's input; unset: as before
  stream::WorkerSettings worker;     // the same
  bool parameters_given = false;
  bool warmup = false;  // asked for; each new prompt is rehearsed before it takes over
  /// Parameters that change nothing: name, reason.
  std::vector<std::pair<std::string, std::string>> refused_parameters;
};

/// Exactly one of `prompt` and `prompts`; `parameters`: an object or null. A cwd is one that
/// `workspaces` allows, and its real path. kInvalidArgument: the sentence for the client.
Result<UpdateRequest> ParseUpdateRequest(const nlohmann::json& body,
                                         const JsonLimits& prompt_limits,
                                         const WorkspaceRoot& workspaces = {});

/// The prompt_id of POST /stream/{id}/switch-prompt. kInvalidArgument: as above.
Result<std::string> ParseSwitchRequest(const nlohmann::json& body);

}  // namespace framelock::api
