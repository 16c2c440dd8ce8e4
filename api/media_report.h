// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "api/prompt_verdict.h"
#include "pipeline/core/clock.h"

namespace framelock::api {

/// What one framelock-stream process has told us so far.
struct MediaReport {
  bool started = false;
  std::optional<SteadyTime> last_heard;
  nlohmann::json status = nlohmann::json::object();
  std::optional<SteadyTime> status_time;
  std::optional<std::string> ended;  // reason: eos, stopped, error
  std::string last_error;            // text of its last "error"
  SteadyTime last_error_time{};
  std::uint64_t lost_lease = 0;      // newest lease that it gave up
  std::string lost_reason;           // "hung: frame 12 overdue"
  std::uint64_t switched_lease = 0;  // newest switch_worker that was answered
  bool switch_applied = false;       // that answer
  bool switch_in_force = false;      // likewise; also when downstream was too slow to let it apply
  std::string switch_failure;        // unless applied
  std::uint64_t answered_request = 0;  // newest set_prompt that was answered
  PromptVerdict verdict;               // that answer
  std::string prompt_failure;          // why it is no verdict: the worker could not be asked
};

/// Enters one message of the control line. The process decodes foreign bytes, so its messages are
/// checked: fields of the wrong type are left out, unknown messages are ignored, texts are cut.
void TakeMessage(const nlohmann::json& message, SteadyTime now, MediaReport& report);

}  // namespace framelock::api
