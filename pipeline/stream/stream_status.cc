// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stream/stream_status.h"

#include <algorithm>
#include <array>

namespace framelock::stream {

namespace {

using nlohmann::json;

// A figure of another component: taken if it is a number, else 0.
json Number(const json& object, const char* name) {
  const auto it = object.find(name);
  return it != object.end() && it->is_number() ? *it : json(0);
}

std::string Text(const json& object, const char* name) {
  const auto it = object.find(name);
  return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}

json Milliseconds(const json& object, const char* name) {
  return Number(object, name).get<double>() / 1000.0;
}

std::string LastError(const StreamStatus& status) {
  for (const std::string& text :
       {status.last_error, Text(status.input, "last_error"), Text(status.output, "last_error"),
        Text(status.filter, "last_error")}) {
    if (!text.empty()) return text;
  }
  return {};
}

}  // namespace

const char* StreamStateName(StreamState state) {
  switch (state) {
    case StreamState::kStarting:
      return "starting";
    case StreamState::kWaitingForInput:
      return "waiting_for_input";
    case StreamState::kRunning:
      return "running";
    case StreamState::kDegraded:
      return "degraded";
    case StreamState::kEnded:
      return "ended";
    case StreamState::kError:
      break;
  }
  return "error";
}

json ToJson(const StreamStatus& status) {
  const json& filter = status.filter;
  json account = json::object();
  for (const char* name : {"inputs", "completed", "skipped", "failed", "lost", "open"}) {
    account[name] = Number(filter, name);
  }
  json object = {
      {"state", StreamStateName(status.state)},
      {"uptime_ms", status.uptime.count()},
      {"account", std::move(account)},
      {"fps_in", Number(filter, "fps_in")},
      {"fps_out", Number(filter, "fps_out")},
      {"latency_ms",
       {{"p50", Milliseconds(filter, "latency_p50_us")},
        {"p99", Milliseconds(filter, "latency_p99_us")}}},
      {"service_ms",
       {{"p50", Milliseconds(filter, "service_p50_us")},
        {"p99", Milliseconds(filter, "service_p99_us")}}},
      {"cadence",
       {{"policy", Text(filter, "cadence")},
        {"divisor", Number(filter, "divisor")},
        {"budget_ms", Milliseconds(filter, "budget_us")}}},
      {"queues",
       {{"waiting", Number(filter, "waiting")}, {"in_flight", Number(filter, "in_flight")}}},
      {"worker",
       {{"pid", Number(filter, "worker_pid")},
        {"state", Text(filter, "worker_state")},
        {"restarts", Number(filter, "worker_restarts")}}},
      {"prompt_revision", Number(filter, "prompt_revision")},
      {"input", status.input},
      {"output", status.output},
      {"audio",
       {{"length_ms", Number(filter, "audio_length_ms")},
        {"processed", Number(filter, "audio_processed")},
        {"passed_through", Number(filter, "audio_passed_through")},
        {"dropped", Number(filter, "audio_dropped")}}},
      {"texts",
       {{"passed", Number(filter, "texts")},
        {"dropped", Number(filter, "texts_dropped").get<std::uint64_t>() + status.texts_dropped},
        {"channel", status.data}}},
      {"decode_errors", status.decode_errors},
      {"last_error", LastError(status)}};
  for (const char* name : {"pushed", "passed_through", "repeated", "late"}) {
    object[name] = Number(filter, name);
  }
  if (!status.latency_trace.is_null()) object["latency_trace"] = status.latency_trace;
  return object;
}

StreamState Judge(const StreamSigns& signs, SteadyTime now, std::chrono::milliseconds idle) {
  if (signs.failed) return StreamState::kError;
  if (signs.ended) return StreamState::kEnded;
  if (!signs.playing) return StreamState::kStarting;
  if (!signs.last_picture || now - *signs.last_picture > idle) return StreamState::kWaitingForInput;
  return signs.worker_ready ? StreamState::kRunning : StreamState::kDegraded;
}

}  // namespace framelock::stream
