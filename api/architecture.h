// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace framelock::api {

/// How a stream comes by its workers.
enum class Architecture : std::uint8_t {
  kDedicated,  // one of its own
  kShared,     // a process that other streams use as well
  kPerPrompt,  // one of its own for each of its prompts, all warm; one at a time is at work
};

/// The words of the API.
constexpr const char* ArchitectureName(Architecture architecture) {
  switch (architecture) {
    case Architecture::kDedicated:
      return "dedicated_worker_per_stream";
    case Architecture::kShared:
      return "shared_single_process";
    case Architecture::kPerPrompt:
      break;
  }
  return "prompt_per_worker";
}

constexpr const char* PipelineTypeName(Architecture architecture) {
  switch (architecture) {
    case Architecture::kDedicated:
      return "ProcessPoolPipeline";
    case Architecture::kShared:
      return "Pipeline";
    case Architecture::kPerPrompt:
      break;
  }
  return "PromptWorkerPipeline";
}

/// What a stream is to run: kPerPrompt has a worker for each prompt, the others run the first.
struct StreamPlan {
  // No aggregate on purpose: see net::HttpResponse.
  StreamPlan() = default;
  StreamPlan(Architecture chosen, std::vector<std::string> prompts)
      : architecture(chosen), further_prompts(std::move(prompts)) {}

  Architecture architecture = Architecture::kDedicated;
  std::vector<std::string> further_prompts;  // beside the first; all different
};

}  // namespace framelock::api
