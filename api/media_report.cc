// SPDX-License-Identifier: Apache-2.0
#include "api/media_report.h"

#include <algorithm>

#include "api/json_text.h"

namespace framelock::api {

using nlohmann::json;

namespace {

constexpr std::size_t kMaxTextBytes = 2000;
constexpr std::size_t kMaxDepth = 64;

std::string Text(const json& message, const char* name) {
  if (!message.is_object()) return {};
  const auto it = message.find(name);
  if (it == message.end() || !it->is_string()) return {};
  return it->get<std::string>().substr(0, kMaxTextBytes);
}

std::uint64_t Number(const json& message, const char* name) {
  const auto it = message.find(name);
  if (it == message.end() || !it->is_number_integer()) return 0;
  if (it->is_number_unsigned()) return it->get<std::uint64_t>();
  return static_cast<std::uint64_t>(std::max<std::int64_t>(it->get<std::int64_t>(), 0));
}

bool Flag(const json& message, const char* name) {
  const auto it = message.find(name);
  return it != message.end() && *it == json(true);
}

void TakePromptResult(const json& message, MediaReport& report) {
  const std::uint64_t request = Number(message, "request");
  if (request <= report.answered_request) return;
  report.answered_request = request;
  report.verdict.applied = Flag(message, "applied");
  report.verdict.revision = Number(message, "revision");
  const auto errors = message.find("errors");
  report.verdict.errors_json.clear();
  report.prompt_failure.clear();
  if (report.verdict.applied) return;
  // A worker's judgement names nodes or holds an error object; a bare text means that none judged.
  report.prompt_failure = errors == message.end() ? "no reason was given" : Text(*errors, "error");
  if (report.prompt_failure.empty()) report.verdict.errors_json = DumpJson(*errors);
}

void TakeSwitched(const json& message, MediaReport& report) {
  const std::uint64_t lease = Number(message, "lease");
  if (lease <= report.switched_lease) return;
  report.switched_lease = lease;
  report.switch_applied = Flag(message, "applied");
  report.switch_in_force = report.switch_applied || Flag(message, "in_force");
  report.switch_failure.clear();
  if (report.switch_applied) return;
  // A bare text, or an error object with its message.
  const auto errors = message.find("errors");
  report.switch_failure = "no reason was given";
  if (errors == message.end() || !errors->is_object()) return;
  std::string text = Text(*errors, "error");
  const auto object = errors->find("error");
  if (text.empty() && object != errors->end()) text = Text(*object, "message");
  if (!text.empty()) report.switch_failure = std::move(text);
}

}  // namespace

void TakeMessage(const json& message, SteadyTime now, MediaReport& report) {
  report.last_heard = now;
  if (IsDeeperThan(message, kMaxDepth)) return;
  const std::string type = Text(message, "type");
  if (type == "started") report.started = true;
  if (type == "status") {
    const auto status = message.find("status");
    if (status == message.end() || !status->is_object()) return;
    report.status = *status;
    report.status_time = now;
  }
  if (type == "prompt_result") TakePromptResult(message, report);
  if (type == "switched") TakeSwitched(message, report);
  if (type == "worker_lost") {
    report.lost_lease = std::max(report.lost_lease, Number(message, "lease"));
    report.lost_reason = Text(message, "reason");
    if (const std::string detail = Text(message, "detail"); !detail.empty()) {
      report.lost_reason += ": " + detail;
    }
  }
  if (type == "error") {
    report.last_error = Text(message, "message");
    report.last_error_time = now;
  }
  if (type == "ended") {
    const std::string reason = Text(message, "reason");
    report.ended = reason.empty() ? "error" : reason;
  }
}

}  // namespace framelock::api
