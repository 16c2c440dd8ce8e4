// SPDX-License-Identifier: Apache-2.0
// What a stream says of itself. The media process's own numbers are taken over by name; it may be
// anything that speaks the control line, so nothing is taken for granted.
#include <array>
#include <ctime>

#include "api/stream.h"
#include "api/stream_account.h"

namespace framelock::api {

using nlohmann::json;

namespace {

std::string Iso8601(std::chrono::system_clock::time_point time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  std::array<char, 32> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &utc);
  return {text.data(), size};
}

std::int64_t Milliseconds(std::chrono::nanoseconds duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

json Exit(const std::optional<Departure>& departure) {
  if (!departure) return nullptr;
  return {{"reason", departure->reason}, {"stderr", departure->tail}};
}

json Url(const std::optional<std::string>& url) { return url ? json(*url) : json(nullptr); }

json Number(const json& object, const char* name) {
  if (!object.is_object()) return nullptr;
  const auto it = object.find(name);
  return it != object.end() && it->is_number() ? *it : json(nullptr);
}

// Of input and output together.
json Reconnects(const json& status) {
  std::uint64_t sum = 0;
  for (const char* side : {"input", "output"}) {
    const auto it = status.find(side);
    const json count = it == status.end() ? json() : Number(*it, "reconnects");
    if (count.is_number_unsigned()) sum += count.get<std::uint64_t>();
  }
  return sum;
}

const char* WorkerStateName(StreamState state) {
  switch (state) {
    case StreamState::kStarting:
      return "starting";
    case StreamState::kRunning:
    case StreamState::kRestartingMedia:
      return "ready";
    case StreamState::kReplacingWorker:
      return "replacing";
    case StreamState::kStopping:
    case StreamState::kStopped:
    case StreamState::kFailed:
      break;
  }
  return "stopped";
}

}  // namespace

Account Stream::CurrentAccount() const {
  return media_ ? StreamAccount(past_account_, media_->report().status) : past_account_;
}

json Stream::SummaryJson() const {
  const Account account = CurrentAccount();
  return {{"request_id", config_.id},
          {"running", start_result_.has_value() && start_result_->ok() && !IsFinal(state_) &&
                          state_ != StreamState::kStopping},
          {"subscribe_url", Url(config_.subscribe_url)},
          {"publish_url", Url(config_.publish_url)},
          {"width", config_.width},
          {"height", config_.height},
          {"frame_count", account.completed},
          {"state", ShownState()}};
}

json Stream::StatusJson() const {
  const json& status = media_ ? media_->report().status : last_status_;
  const SteadyTime now = around_.clock.Now();
  json out = SummaryJson();
  // Whatever the media process reports stands here under its own name, unless we know better.
  for (const char* name :
       {"latency_ms", "service_ms", "cadence", "latency_trace", "queues", "input", "output",
        "audio", "texts", "decode_errors", "pushed", "passed_through", "repeated", "late"}) {
    const auto value = status.find(name);
    out[name] = value != status.end() ? *value : json(nullptr);
  }
  out["fps"] = {{"in", Number(status, "fps_in")}, {"out", Number(status, "fps_out")}};
  out["reconnects"] = Reconnects(status);
  const Account account = CurrentAccount();
  out["account"] = ToJson(account);
  out["worker_status"] = WorkerJson();
  out["pipeline_type"] = PipelineTypeName(plan_.architecture);
  out["architecture"] = ArchitectureName(plan_.architecture);
  out["active_prompt_id"] = prompts_ ? json(prompts_->at_work()) : json(nullptr);
  out["uptime_ms"] = Milliseconds(now - created_);
  out["started_at"] = Iso8601(started_at_);
  const std::optional<std::chrono::nanoseconds> pause =
      state_ == StreamState::kReplacingWorker && !worker_ ? Workers().pause() : std::nullopt;
  out["worker"] = {{"pid", WorkerRuns() ? json(worker_->pid()) : json(nullptr)},
                   {"state", pause ? "waiting" : WorkerStateName(state_)},
                   {"retry_in_ms", pause ? json(Milliseconds(*pause)) : json(nullptr)},
                   {"restarts", worker_past_.restarts},
                   {"last_exit", Exit(worker_past_.exit)}};
  out["media"] = {{"pid", MediaRuns() ? json(media_->pid()) : json(nullptr)},
                  {"restarts", media_past_.restarts},
                  {"last_exit", Exit(media_past_.exit)}};
  out["media_pid"] = out["media"]["pid"];
  out["prompt_revision"] = prompt_.revision();
  out["last_error"] = ShownError();
  const bool reported = media_ && media_->report().status_time;
  out["status_age_ms"] =
      reported ? json(Milliseconds(now - *media_->report().status_time)) : json(nullptr);
  return out;
}

json Stream::WorkerJson() const {
  const Account account = CurrentAccount();
  json out = {{"stream_id", config_.id},
              {"worker_count", WorkerRuns() ? 1 : 0},
              {"dedicated_worker", plan_.architecture == Architecture::kDedicated},
              {"running", WorkerRuns() && prepared_},
              {"input_frame_counter", account.inputs},
              {"streams_on_worker", WorkerRuns() ? worker_->streams() : 0},
              {"prompt_workers", nullptr}};
  if (!prompts_) return out;
  json workers = json::array();
  std::size_t count = 0;
  for (const PromptWorkers::View& view : prompts_->Views()) {
    const bool at_work = view.id == prompts_->at_work();
    const pid_t pid = at_work && WorkerRuns() ? worker_->pid() : view.pid;
    if (pid != 0) ++count;
    workers.push_back({{"prompt_id", view.id},
                       {"state", view.state},
                       {"pid", pid != 0 ? json(pid) : json(nullptr)},
                       {"restarts", view.restarts},
                       {"error", view.error.empty() ? json(nullptr) : json(view.error)}});
  }
  out["worker_count"] = count;
  out["prompt_workers"] = std::move(workers);
  return out;
}

// While both processes run, the media process knows best where the stream is (waiting for its
// input, say).
std::string Stream::ShownState() const {
  if (state_ != StreamState::kRunning || !media_) return StreamStateName(state_);
  const json& status = media_->report().status;
  const auto state = status.find("state");
  return state != status.end() && state->is_string() ? state->get<std::string>() : "running";
}

// The newer of what we and the media process have to tell.
std::string Stream::ShownError() const {
  if (!media_) return last_error_;
  const MediaReport& report = media_->report();
  const bool theirs = !report.last_error.empty() && report.last_error_time >= last_error_time_;
  if (theirs || (last_error_.empty() && !report.last_error.empty())) return report.last_error;
  const auto in_status = report.status.find("last_error");
  if (last_error_.empty() && in_status != report.status.end() && in_status->is_string()) {
    return in_status->get<std::string>();
  }
  return last_error_;
}

}  // namespace framelock::api
