// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "api/json_text.h"
#include "pipeline/core/result.h"
#include "workers/host/default_prompt.h"

namespace framelock::api {

/// The prompt of a request, as text for the worker. The control plane bounds it and never looks
/// into the graph: the worker validates.
struct PromptChoice {
  std::string text;       // JSON; empty: none was given
  std::size_t count = 0;  // how many the client sent
};

using host::kDefaultPrompt;  // what a stream runs when the request names no prompt

/// Reads `prompt` (JSON text or an object; null or "" count as absent) or else `prompts` (a list of
/// such). A dedicated worker runs one graph, so all of a list's prompts must be equal.
/// kInvalidArgument: the sentence for the client.
Result<PromptChoice> ChoosePrompt(const nlohmann::json& prompt, const nlohmann::json& prompts,
                                  const JsonLimits& limits);

}  // namespace framelock::api
