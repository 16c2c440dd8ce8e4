// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "api/json_text.h"
#include "api/prompt_choice.h"
#include "pipeline/core/result.h"
#include "pipeline/stream/stream_config.h"

namespace framelock::api {

/// What POST /stream/start asks for, checked.
struct StartRequest {
  stream::StreamConfig config;  // id is empty when the client named none and need not
  PromptChoice prompt;          // empty text: the default prompt
};

/// True if `id` may name a stream: 1..128 letters, digits and ._:~@+=-, no path trick and none of
/// the words that the routes use themselves.
bool IsStreamId(std::string_view id);

/// Reads both shapes of the body: {"subscribe_url",…,"gateway_request_id","params":{…}} and the
/// flat one, in which the parameters stand beside the URLs; what both name is taken from params.
/// The id is gateway_request_id, request_id or stream_id, else `header_id` (X-Stream-Id); only the
/// flat shape may do without. Unknown keys are ignored; what is not given is as in `defaults`.
/// kInvalidArgument: the sentence for the client, naming field and reason.
Result<StartRequest> ParseStartRequest(const nlohmann::json& body,
                                       std::optional<std::string_view> header_id,
                                       const JsonLimits& prompt_limits,
                                       const stream::StreamConfig& defaults = {});

}  // namespace framelock::api
