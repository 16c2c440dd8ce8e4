// SPDX-License-Identifier: Apache-2.0
// Everything of the control plane that reads foreign bytes without a socket: bodies of requests,
// what a worker says of a prompt, messages of a media process, paths and headers.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "api/json_text.h"
#include "api/media_report.h"
#include "api/origin_policy.h"
#include "api/route_table.h"
#include "api/start_request.h"
#include "api/stream_url.h"
#include "api/update_request.h"
#include "api/validation_errors.h"

namespace framelock::api {
namespace {

using nlohmann::json;

void Require(bool holds) {
  if (!holds) std::abort();
}

void Bodies(std::string_view text) {
  const Result<json> document = ParseJson(text);
  if (!document) {
    Require(!document.error().message.empty());
    return;
  }
  Require(!IsDeeperThan(*document, JsonLimits{}.max_depth));
  if (const auto start = ParseStartRequest(*document, std::nullopt, {})) {
    Require(start->config.id.empty() || IsStreamId(start->config.id));
    Require(CheckStreamUrl(*start->config.subscribe_url).ok());
    Require(start->config.width >= 16 && start->config.width <= 4096);
    Require(start->prompt.text.empty() || ParseJson(start->prompt.text).ok());
  }
  if (const auto update = ParseUpdateRequest(*document, {})) {
    Require(ParseJson(update->prompt.text).ok());
    Require(update->width.value_or(16) >= 16 && update->height.value_or(4096) <= 4096);
  }
  if (!document->is_object()) return;
  MediaReport report;
  TakeMessage(*document, SteadyTime{}, report);
  Require(report.status.is_object());
}

void Heads(std::string_view text) {
  const std::size_t cut = text.find('\n');
  const std::string first(text.substr(0, cut));
  const std::string rest(cut == std::string_view::npos ? "" : text.substr(cut + 1));
  const RouteMatch match = MatchRoute("GET", first);
  Require(!match.route || !match.allowed.empty());
  net::HttpRequest request;
  request.headers = {{"Host", first}, {"Origin", rest}};
  OriginPolicy policy;
  static_cast<void>(policy.Refusal(request));
  Require(policy.CorsHeaders(request).empty());
  static_cast<void>(CheckStreamUrl(first));
}

}  // namespace
}  // namespace framelock::api

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace framelock::api;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Bodies(text);
  Heads(text);
  const json body = PromptValidationBody(text);
  Require(body["validation_errors"].size() <= kMaxValidationErrors);
  static_cast<void>(DumpJson(body));
  return 0;
}
