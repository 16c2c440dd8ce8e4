// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "api/prompt_verdict.h"

namespace framelock::api {

// How the next fake worker judges prompts.
using Judge = std::function<PromptVerdict(const std::string& prompt, std::uint64_t revision)>;

inline PromptVerdict Accept(const std::string&, std::uint64_t revision) {
  PromptVerdict verdict;
  verdict.applied = true;
  verdict.revision = revision;
  return verdict;
}

inline PromptVerdict Reject(const std::string&, std::uint64_t revision) {
  PromptVerdict verdict;
  verdict.revision = revision;
  verdict.errors_json = R"({"error":{"type":"t","message":"missing input"},"node_errors":{}})";
  return verdict;
}

}  // namespace framelock::api
