// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "api/architecture.h"
#include "api/json_text.h"
#include "api/prompt_choice.h"
#include "api/workspace_root.h"
#include "pipeline/core/result.h"
#include "pipeline/stream/stream_config.h"

namespace framelock::api {

/// What POST /stream/start asks for, checked.
struct StartRequest {
  stream::StreamConfig config;  // id is empty when the client named none and need not
  PromptChoice prompt;          // empty text: the default prompt
  Architecture architecture = Architecture::kDedicated;
  bool dedicated_worker = true;  // as it was asked for; use_prompt_worker wins
};

/// True if `id` may name a stream: 1..128 letters, digits and ._:~@+=-, no path trick and none of
/// the words that the routes use themselves.
bool IsStreamId(std::string_view id);

/// Lets the frames of a stream that shares its worker wait for the turns of the others: no answer
/// for so long as their first frames may take is no sign that the worker hangs.
void AllowForTurns(std::size_t streams, stream::StreamConfig& config);

/// Reads both shapes of the body: {"subscribe_url",…,"gateway_request_id","params":{…}} and the
/// flat one, in which the parameters stand beside the URLs; what both name is taken from params.
/// The id is gateway_request_id, request_id or stream_id, else `header_id` (X-Stream-Id); only the
/// flat shape may do without. Unknown keys are ignored; what is not given is as in `defaults`. A
/// cwd is one that `workspaces` allows, and its real path.
/// kInvalidArgument: the sentence for the client, naming field and reason.
Result<StartRequest> ParseStartRequest(const nlohmann::json& body,
                                       std::optional<std::string_view> header_id,
                                       const JsonLimits& prompt_limits,
                                       const stream::StreamConfig& defaults = {},
                                       const WorkspaceRoot& workspaces = {});

}  // namespace framelock::api
