// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "api/embedded_files.h"
#include "api/media_report.h"
#include "api/origin_policy.h"
#include "api/route_table.h"
#include "api/validation_errors.h"

namespace framelock::api {
namespace {

using nlohmann::json;

TEST(RouteTable, EveryRouteUnderEveryPrefix) {
  for (const RouteEntry& entry : Routes()) {
    std::string path(entry.pattern);
    if (const auto at = path.find("{id}"); at != std::string::npos) path.replace(at, 4, "a%2Db");
    for (const std::string prefix : {"", "/live", "/api"}) {
      const RouteMatch match = MatchRoute(entry.method, prefix + path);
      EXPECT_EQ(match.route, entry.route) << entry.method << " " << prefix << path;
      EXPECT_EQ(match.id, path == entry.pattern ? "" : "a-b");
    }
  }
}

TEST(RouteTable, OtherMethodsAreToldWhichExist) {
  EXPECT_EQ(MatchRoute("PUT", "/stream/a").allowed, "GET, DELETE");
  EXPECT_EQ(MatchRoute("GET", "/stream/start").allowed, "POST");
  EXPECT_EQ(MatchRoute("DELETE", "/stream/status").allowed, "GET");
  EXPECT_FALSE(MatchRoute("GET", "/stream/start").route);
  EXPECT_TRUE(MatchRoute("GET", "/nothing").allowed.empty());
}

TEST(RouteTable, OddPaths) {
  EXPECT_EQ(MatchRoute("GET", "/streams/").route, Route::kStreams);
  EXPECT_EQ(MatchRoute("GET", "/live").route, Route::kRoot);
  EXPECT_EQ(MatchRoute("GET", "/live/live/streams").route, std::nullopt);
  EXPECT_EQ(MatchRoute("GET", "/stream/a/b/status").route, std::nullopt);
  EXPECT_EQ(MatchRoute("GET", "/stream//status").route, std::nullopt);
  EXPECT_EQ(MatchRoute("GET", "/liver/streams").route, std::nullopt);
  EXPECT_EQ(MatchRoute("GET", "").route, Route::kRoot);
  EXPECT_TRUE(MatchRoute("GET", "/stream/%zz/status").broken_escape);
  EXPECT_EQ(MatchRoute("GET", "/stream/a%2Fb/status").id, "a/b");
}

TEST(OpenApi, ListsExactlyTheRoutes) {
  const json document = json::parse(kOpenApiText, nullptr, false);
  ASSERT_TRUE(document.is_object());
  std::set<std::string> described;
  for (const auto& [path, operations] : document["paths"].items()) {
    for (const auto& [method, operation] : operations.items()) {
      std::string name = method;
      std::transform(name.begin(), name.end(), name.begin(), ::toupper);
      described.insert(name + " " + path);
      EXPECT_TRUE(operation.contains("operationId")) << path;
    }
  }
  std::set<std::string> served;
  for (const RouteEntry& entry : Routes()) {
    served.insert(std::string(entry.method) + " " + std::string(entry.pattern));
  }
  EXPECT_EQ(described, served);
}

TEST(OpenApi, EveryReferenceExists) {
  const json document = json::parse(kOpenApiText);
  const std::string text(kOpenApiText);
  const std::string mark = "\"#/";
  for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark, at + 1)) {
    const std::string path = text.substr(at + 2, text.find('"', at + 2) - at - 2);
    EXPECT_TRUE(document.contains(json::json_pointer(path))) << path;
  }
}

TEST(OpenApi, EveryCallNamesTheWaysItCanFail) {
  const json document = json::parse(kOpenApiText);
  for (const auto& [path, operations] : document["paths"].items()) {
    for (const auto& [method, operation] : operations.items()) {
      std::vector<std::string> expected{"200", "400", "403", "500", "503"};
      if (path.find("/stream/{id}") != std::string::npos) expected.push_back("404");
      if (operation.contains("requestBody")) expected.insert(expected.end(), {"408", "413"});
      for (const std::string& status : expected) {
        EXPECT_TRUE(operation["responses"].contains(status)) << method << path << " " << status;
      }
    }
  }
}

net::HttpRequest Request(std::vector<net::HttpHeader> headers) {
  net::HttpRequest request;
  request.headers = std::move(headers);
  return request;
}

TEST(OriginPolicy, PagesOfOtherOriginsAreRefused) {
  const OriginPolicy policy;
  EXPECT_FALSE(policy.Refusal(Request({})));
  EXPECT_FALSE(policy.Refusal(Request({{"Host", "127.0.0.1:8000"}})));
  EXPECT_FALSE(
      policy.Refusal(Request({{"Host", "localhost:8000"}, {"Origin", "http://localhost:8000"}})));
  EXPECT_TRUE(
      policy.Refusal(Request({{"Host", "127.0.0.1:8000"}, {"Origin", "http://evil.example"}})));
  EXPECT_TRUE(policy.Refusal(Request({{"Host", "127.0.0.1:8000"}, {"Origin", "null"}})));
  EXPECT_TRUE(
      policy.Refusal(Request({{"Host", "127.0.0.1:8000"}, {"Origin", "http://127.0.0.1:9000"}})));
}

TEST(OriginPolicy, ReboundNamesAreRefusedOnLoopback) {
  OriginPolicy policy;
  const net::HttpRequest rebound =
      Request({{"Host", "evil.example:8000"}, {"Origin", "http://evil.example:8000"}});
  EXPECT_TRUE(policy.Refusal(rebound));
  policy.allowed_hosts = {"evil.example"};
  EXPECT_FALSE(policy.Refusal(rebound));
  OriginPolicy open;
  open.listen = "0.0.0.0:8000";
  EXPECT_FALSE(open.Refusal(Request({{"Host", "framelock:8000"}})));
}

TEST(OriginPolicy, NamedHostsHoldOnEveryListener) {
  OriginPolicy policy;
  policy.listen = "0.0.0.0:8000";
  policy.allowed_hosts = {"Framelock.Example"};
  EXPECT_TRUE(policy.Refusal(Request({{"Host", "evil.example:8000"}})));
  EXPECT_FALSE(policy.Refusal(Request({{"Host", "framelock.example:8000"}})));
  EXPECT_FALSE(policy.Refusal(Request({{"Host", "FRAMELOCK.example"}})));
  EXPECT_FALSE(policy.Refusal(Request({{"Host", "10.0.0.7:8000"}})));
  EXPECT_FALSE(policy.Refusal(Request({{"Host", "[fd00::7]:8000"}})));
  EXPECT_FALSE(policy.Refusal(Request({{"Host", "LocalHost:8000"}})));
}

TEST(OriginPolicy, CorsOnlyWhereAllowed) {
  OriginPolicy policy;
  const net::HttpRequest request = Request({{"Origin", "http://ui.example"}});
  EXPECT_TRUE(policy.CorsHeaders(request).empty());
  policy.cors_origins = {"http://ui.example"};
  EXPECT_FALSE(policy.Refusal(request));
  ASSERT_FALSE(policy.CorsHeaders(request).empty());
  EXPECT_EQ(policy.CorsHeaders(request)[0].second, "http://ui.example");
  EXPECT_TRUE(policy.CorsHeaders(Request({{"Origin", "http://ui.example.evil"}})).empty());
}

TEST(ValidationErrors, NodeErrorsBecomeOneEntryEach) {
  const json body =
      PromptValidationBody(R"({"error":null,"node_errors":{"3":{"class_type":"ImageBlur",
    "dependent_outputs":["4"],"errors":[
      {"type":"value_not_in_list","message":"Value not in list","details":"d",
       "extra_info":{"input_name":"m","input_config":[["a","b"],{}],"received_value":"c"}},
      {"type":"value_bigger_than_max","message":"big","details":"",
       "extra_info":{"input_name":"r","input_config":["INT",{"max":31}],"received_value":99}},
      {"type":"required_input_missing","message":"Required input is missing"}]}}})");
  EXPECT_EQ(body["error"], "Prompt validation failed");
  EXPECT_NE(body["message"].get<std::string>().find("not available in this ComfyUI workspace"),
            std::string::npos);
  ASSERT_EQ(body["validation_errors"].size(), 3u);
  EXPECT_EQ(body["validation_errors"][0],
            json::parse(R"({"node_id":"3","node_type":"ImageBlur","error_type":"value_not_in_list",
              "message":"Value not in list","details":"d","input_name":"m","received_value":"c",
              "valid_options":["a","b"]})"));
  EXPECT_EQ(body["validation_errors"][1]["valid_options"], "INT");
  EXPECT_EQ(body["validation_errors"][2]["received_value"], "");
  EXPECT_EQ(body["validation_errors"][2]["valid_options"], json::array());
}

TEST(ValidationErrors, PromptErrorsNameTheirNode) {
  const json body = PromptValidationBody(
      R"({"error":{"type":"missing_node_type","message":"Node 'X' not found.","details":"Node ID '#2'",
          "extra_info":{"node_id":"2","class_type":"X"}},"node_errors":{}})");
  EXPECT_EQ(body["message"], "Node 'X' not found.: Node ID '#2'");
  ASSERT_EQ(body["validation_errors"].size(), 1u);
  EXPECT_EQ(body["validation_errors"][0]["node_id"], "2");
  EXPECT_EQ(body["validation_errors"][0]["error_type"], "missing_node_type");
}

TEST(ValidationErrors, BareNodeErrorsAreUnderstood) {
  const json body =
      PromptValidationBody(R"({"7":{"class_type":"C","errors":[{"type":"t","message":"m"}]}})");
  ASSERT_EQ(body["validation_errors"].size(), 1u);
  EXPECT_EQ(body["validation_errors"][0]["node_id"], "7");
}

TEST(ValidationErrors, HostileWorkersCannotBreakIt) {
  std::string many = R"({"node_errors":{"1":{"errors":[{})";
  for (int i = 0; i < 5000; ++i) many += ",{}";
  for (const std::string& text :
       {std::string(), std::string("{"), std::string("[]"), std::string("7"),
        std::string(100000, '['), std::string(R"({"error":5,"node_errors":7})"),
        std::string(R"({"node_errors":{"1":5,"2":{"errors":[1,"x",null]}}})"),
        std::string(R"({"error":{"message":{},"details":[],"extra_info":3}})"),
        std::string(R"({"node_errors":{"1":{"errors":[{"extra_info":{"input_config":[]}}]}}})"),
        many + "]}}}"}) {
    const json body = PromptValidationBody(text);
    EXPECT_EQ(body["error"], "Prompt validation failed") << text.substr(0, 80);
    EXPECT_TRUE(body["message"].is_string());
    EXPECT_LE(body["validation_errors"].size(), kMaxValidationErrors);
  }
}

TEST(MediaReport, MessagesAreCheckedFieldByField) {
  MediaReport report;
  const SteadyTime now{};
  for (const char* text :
       {R"({"type":7})", R"({"type":"status"})", R"({"type":"status","status":[]})",
        R"({"type":"prompt_result","request":-1,"applied":true})",
        R"({"type":"prompt_result","request":"1"})", R"({"type":"worker_lost","lease":-1})",
        R"({"type":"error","message":5})", R"({"type":"unknown"})"}) {
    TakeMessage(json::parse(text), now, report);
  }
  EXPECT_FALSE(report.started);
  EXPECT_FALSE(report.status_time);
  EXPECT_EQ(report.answered_request, 0u);
  EXPECT_EQ(report.lost_lease, 0u);
  EXPECT_EQ(report.last_error, "");
  EXPECT_FALSE(report.ended);
  EXPECT_TRUE(report.last_heard);
}

TEST(MediaReport, TakesWhatIsRight) {
  MediaReport report;
  const SteadyTime now{};
  for (
      const char* text :
      {R"({"type":"started"})", R"({"type":"status","status":{"fps":{"in":30}}})",
       R"({"type":"prompt_result","request":2,"applied":false,"errors":{"error":{"message":"m"}}})",
       R"({"type":"prompt_result","request":1,"applied":true,"revision":9})",
       R"({"type":"worker_lost","lease":3,"reason":"hung","detail":"frame 12"})",
       R"({"type":"ended","reason":"eos"})"}) {
    TakeMessage(json::parse(text), now, report);
  }
  EXPECT_TRUE(report.started);
  EXPECT_EQ(report.status["fps"]["in"], 30);
  EXPECT_EQ(report.answered_request, 2u);
  EXPECT_FALSE(report.verdict.applied);
  EXPECT_EQ(report.verdict.errors_json, R"({"error":{"message":"m"}})");
  EXPECT_EQ(report.lost_lease, 3u);
  EXPECT_EQ(report.lost_reason, "hung: frame 12");
  EXPECT_EQ(report.ended, "eos");
}

TEST(MediaReport, DeepMessagesAreNotEvenCopied) {
  json deep = 1;
  for (int i = 0; i < 1000; ++i) deep = json::array({std::move(deep)});
  json message = {{"type", "status"}};
  message["status"]["x"] = std::move(deep);
  MediaReport report;
  TakeMessage(message, SteadyTime{}, report);
  EXPECT_FALSE(report.status_time);
}

}  // namespace
}  // namespace framelock::api
