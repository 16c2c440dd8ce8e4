// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "api/architecture.h"
#include "api/json_text.h"
#include "pipeline/core/result.h"
#include "workers/host/default_prompt.h"

namespace framelock::api {

/// The prompts of a request, as text for workers. The control plane bounds them and never looks
/// into the graph: the worker validates.
struct PromptChoice {
  std::string text;                  // JSON; empty: none was given
  std::size_t count = 0;             // how many the client sent
  std::vector<std::string> further;  // those that differ from the first, and from each other

  /// All that differ, the first one first.
  [[nodiscard]] std::vector<std::string> distinct() const;
};

using host::kDefaultPrompt;  // what a stream runs when the request names no prompt

/// Twelve hexadecimal digits that name a prompt: the first of the MD5 digest of its JSON, written
/// without blanks and with the keys of each object in order. Equal graphs have equal ids.
std::string PromptId(const std::string& prompt);

/// More different prompts than this are refused, whoever asks.
inline constexpr std::size_t kMaxDistinctPrompts = 64;

/// kInvalidArgument: `choice` holds more different prompts than a stream of this architecture runs,
/// `max_prompts` if each has a worker.
Status CheckPromptCount(const PromptChoice& choice, Architecture architecture,
                        std::size_t max_prompts);

/// Reads `prompt` (JSON text or an object; null or "" count as absent) or else `prompts` (a list of
/// such). kInvalidArgument: the sentence for the client.
Result<PromptChoice> ChoosePrompt(const nlohmann::json& prompt, const nlohmann::json& prompts,
                                  const JsonLimits& limits);

}  // namespace framelock::api
