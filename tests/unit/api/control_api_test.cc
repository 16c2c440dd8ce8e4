// SPDX-License-Identifier: Apache-2.0
#include "api/control_api.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/embedded_files.h"
#include "api/prompt_choice.h"
#include "tests/support/open_api.h"
#include "tests/unit/api/fake_house.h"

namespace framelock::api {
namespace {

using nlohmann::json;

const char* const kGoodStart =
    R"({"subscribe_url":"http://h/in","publish_url":"http://h/out","gateway_request_id":"a",
        "params":{"width":64,"height":64,"prompt":"{\"1\":{}}"}})";

class ControlApiTest : public testing::Test {
 protected:
  ControlApiTest() : registry(around, {}), api(registry, nodes, {}, [this] { return health; }) {}

  net::Task<net::HttpResponse> Call(std::string method, std::string path, std::string body) {
    net::HttpRequest request;
    request.method = std::move(method);
    request.path = std::move(path);
    request.headers = headers;
    co_return co_await api.Answer(request, std::move(body));
  }

  // One call on a loop that ends afterwards.
  json Once(const char* method, const char* path, const std::string& body, unsigned status) {
    json answer;
    house.Run([&]() -> net::Task<> {
      const net::HttpResponse response = co_await Call(method, path, body);
      EXPECT_EQ(response.status, status) << response.body;
      answer = json::parse(response.body, nullptr, false);
      co_await registry.StopAll();
    });
    return answer;
  }

  FakeHouse house;
  Stream::Surroundings around = house.Around();
  StreamRegistry registry;
  NodeCatalog nodes;
  PoolHealth health;
  std::vector<net::HttpHeader> headers;
  ControlApi api;
};

TEST_F(ControlApiTest, StartAnswersWithTheContractsKeys) {
  const json answer = Once("POST", "/live/stream/start", kGoodStart, 200);
  EXPECT_EQ(answer, json::parse(R"({"status":"success","message":"Stream a started successfully",
    "request_id":"a","config":{"subscribe_url":"http://h/in","publish_url":"http://h/out",
    "width":64,"height":64,"dedicated_worker":true,"use_prompt_worker":false,
    "pipeline_type":"ProcessPoolPipeline","architecture":"dedicated_worker_per_stream",
    "prompts_set":true,"prompt_count":1}})"));
  ASSERT_EQ(house.media.processes.size(), 1u);
  EXPECT_EQ(house.media.processes[0]->config.subscribe_url, "http://h/in");
  EXPECT_EQ(house.workers.workers[0]->prompts[0].first, "{\"1\":{}}");
}

TEST_F(ControlApiTest, AStartWithoutPromptInverts) {
  const json answer =
      Once("POST", "/stream", R"({"subscribe_url":"http://h/in","publish_url":"ws://h/out"})", 200);
  EXPECT_EQ(answer["config"]["prompts_set"], false);
  EXPECT_EQ(answer["config"]["prompt_count"], 1);
  EXPECT_EQ(answer["request_id"].get<std::string>().substr(0, 7), "stream-");
  EXPECT_NE(house.workers.workers[0]->prompts[0].first.find("ImageInvert"), std::string::npos);
}

TEST_F(ControlApiTest, ARefusedPromptIsA400AndLeavesNothing) {
  house.workers.judge = Reject;
  house.Run([&]() -> net::Task<> {
    const net::HttpResponse response = co_await Call("POST", "/stream/start", kGoodStart);
    EXPECT_EQ(response.status, 400u);
    EXPECT_EQ(json::parse(response.body)["message"], "missing input");
    const net::HttpResponse list = co_await Call("GET", "/streams", "");
    EXPECT_EQ(json::parse(list.body), json::parse(R"({"streams":{},"count":0})"));
  });
}

TEST_F(ControlApiTest, TextsAreAnsweredWithAHeadAndTheirStream) {
  house.Run([&]() -> net::Task<> {
    const net::HttpResponse start = co_await Call("POST", "/stream/start", kGoodStart);
    EXPECT_EQ(start.status, 200u);
    net::HttpRequest request;
    request.method = "GET";
    request.path = "/live/stream/a/data";
    const net::HttpResponse head = co_await api.Answer(request, std::string());
    EXPECT_EQ(head.status, 200u);
    EXPECT_EQ(head.headers.at(0).second, "text/event-stream");
    const std::shared_ptr<Stream> stream = api.TextSource(request);
    EXPECT_TRUE(stream);
    if (stream) {
      TextFeed::Position reader = stream->texts().End();
      house.media.processes.at(0)->Say({{"type", "text"}, {"sequence", 1U}, {"text", "hello"}});
      EXPECT_NE(stream->texts().Read(reader).find("hello"), std::string::npos);
      std::vector<std::shared_ptr<const void>> readers(16, stream->texts().Join());
      const net::HttpResponse one_more = co_await api.Answer(request, std::string());
      EXPECT_EQ(one_more.status, 503u);
      readers.pop_back();
      const net::HttpResponse another = co_await api.Answer(request, std::string());
      EXPECT_EQ(another.status, 200u);
    }
    request.path = "/stream/b/data";
    const net::HttpResponse none = co_await api.Answer(request, std::string());
    EXPECT_EQ(none.status, 404u);
    EXPECT_FALSE(api.TextSource(request));
    request.path = "/stream/a/status";
    EXPECT_FALSE(api.TextSource(request));
    co_await registry.StopAll();
  });
}

TEST_F(ControlApiTest, NoCallWaitsForAStartThatHangs) {
  house.workers.hang = true;
  house.Run([&]() -> net::Task<> {
    bool answered = false;
    const auto start = [&]() -> net::Task<> {
      const net::HttpResponse response = co_await Call("POST", "/stream/start", kGoodStart);
      EXPECT_EQ(response.status, 409u) << response.body;
      answered = true;
    };
    house.loop.Spawn(start());
    const bool begun = co_await Eventually([&] { return !house.workers.workers.empty(); });
    EXPECT_TRUE(begun);
    const net::HttpResponse list = co_await Call("GET", "/streams", "");
    EXPECT_EQ(json::parse(list.body)["streams"]["a"]["state"], "starting");
    const net::HttpResponse twice = co_await Call("POST", "/stream/start", kGoodStart);
    EXPECT_EQ(twice.status, 409u);
    EXPECT_FALSE(answered);
    const net::HttpResponse stopped = co_await Call("DELETE", "/stream/a", "");
    EXPECT_EQ(stopped.status, 200u);
    const bool ended = co_await Eventually([&] { return answered; });
    EXPECT_TRUE(ended);
  });
}

TEST_F(ControlApiTest, ALifeInCalls) {
  house.Run([&]() -> net::Task<> {
    net::HttpResponse r = co_await Call("POST", "/live-video-to-video", kGoodStart);
    EXPECT_EQ(r.status, 200u);
    r = co_await Call("GET", "/api/stream/a/status", "");
    EXPECT_EQ(json::parse(r.body)["state"], "running");
    r = co_await Call("GET", "/stream/status", "");
    EXPECT_EQ(json::parse(r.body)["processing_active"], true);
    EXPECT_EQ(json::parse(r.body)["stream_count"], 1);
    r = co_await Call(
        "POST", "/stream/a/update-prompts",
        R"({"prompt":{"2":{}},"parameters":{"gpu_only":true,"width":768,"warmup":true}})");
    EXPECT_EQ(r.status, 200u) << r.body;
    json answer = json::parse(r.body);
    EXPECT_EQ(answer["message"], "Prompts updated for stream a");
    EXPECT_EQ(answer["prompts_count"], 1);
    EXPECT_EQ(answer["parameters_updated"], true);
    EXPECT_EQ(answer["warmup_performed"], true);
    EXPECT_FALSE(answer.contains("parameters_refused"));
    r = co_await Call("GET", "/stream/a/prompts", "");
    EXPECT_EQ(json::parse(r.body)["active_prompt"], json::parse(R"({"2":{}})"));
    EXPECT_EQ(json::parse(r.body)["prompt_revision"], 2);
    r = co_await Call("GET", "/stream/a/workers", "");
    EXPECT_EQ(json::parse(r.body)["worker_status"]["running"], true);
    r = co_await Call("POST", "/stream/a/restart-worker", "");
    EXPECT_EQ(json::parse(r.body)["message"], "Dedicated worker restarted for stream a");
    r = co_await Call("GET", "/stream/a/workspace-info", "");
    EXPECT_EQ(json::parse(r.body)["success"], true);
    answer = json::parse(r.body)["workspace_info"];
    EXPECT_EQ(answer["config_keys"],
              json({"cwd", "disable_cuda_malloc", "gpu_only", "preview_method"}));
    EXPECT_EQ(answer["config"]["gpu_only"], true);
    EXPECT_EQ(answer["config"]["cwd"], nullptr);
    EXPECT_EQ(answer["width"], 768);
    r = co_await Call("POST", "/stream/stop", "not json at all");
    EXPECT_EQ(json::parse(r.body)["message"], "Stopped 1 stream(s)");
    r = co_await Call("POST", "/stream/stop", "");
    EXPECT_EQ(r.status, 404u);
    r = co_await Call("GET", "/stream/status", "");
    EXPECT_EQ(json::parse(r.body)["message"], "No active streams");
  });
}

std::string StartOf(const std::string& params) {
  return R"({"subscribe_url":"http://h/in","publish_url":"http://h/out","gateway_request_id":"a",
             "params":{)" +
         params + "}}";
}

TEST_F(ControlApiTest, PromptWorkersAreToldSwitchedAndUpdated) {
  house.Run([&]() -> net::Task<> {
    net::HttpResponse r = co_await Call(
        "POST", "/stream/start",
        StartOf(R"("use_prompt_worker":true,"prompts":[{"1":{}},{"2":{}},{"1":{}}])"));
    EXPECT_EQ(r.status, 200u) << r.body;
    json answer = json::parse(r.body)["config"];
    EXPECT_EQ(answer["pipeline_type"], "PromptWorkerPipeline");
    EXPECT_EQ(answer["architecture"], "prompt_per_worker");
    EXPECT_EQ(answer["use_prompt_worker"], true);
    EXPECT_EQ(answer["prompt_count"], 3);
    EXPECT_EQ(house.workers.workers.size(), 2u) << "equal prompts have one worker";
    const std::string first = PromptId(R"({"1":{}})");
    const std::string second = PromptId(R"({"2":{}})");
    r = co_await Call("GET", "/stream/a/prompts", "");
    answer = json::parse(r.body);
    EXPECT_EQ(answer["prompts"], json({first, second}));
    EXPECT_EQ(answer["active_prompt_id"], first);
    EXPECT_EQ(answer["total_prompts"], 2);
    r = co_await Call("POST", "/stream/a/switch-prompt", R"({"prompt_id":")" + second + "\"}");
    EXPECT_EQ(json::parse(r.body),
              json::parse(R"({"status":"success","request_id":"a","active_prompt_id":")" + second +
                          R"(","message":"Switched to prompt )" + second + R"( for stream a"})"));
    r = co_await Call("GET", "/stream/a/worker", "");
    answer = json::parse(r.body);
    EXPECT_EQ(answer["pipeline_type"], "PromptWorkerPipeline");
    EXPECT_EQ(answer["worker_status"]["worker_count"], 2);
    EXPECT_EQ(answer["worker_status"]["dedicated_worker"], false);
    r = co_await Call("GET", "/stream/a/workspace-info", "");
    answer = json::parse(r.body)["workspace_info"];
    EXPECT_EQ(answer["total_workers"], 2);
    EXPECT_EQ(answer["active_prompt_id"], second);
    r = co_await Call("GET", "/stream/a/status", "");
    EXPECT_EQ(json::parse(r.body)["architecture"], "prompt_per_worker");
    EXPECT_EQ(json::parse(r.body)["active_prompt_id"], second);
    r = co_await Call("POST", "/stream/a/update-prompts", R"({"prompts":[{"3":{}},{"2":{}}]})");
    EXPECT_EQ(json::parse(r.body)["prompts_count"], 2) << r.body;
    r = co_await Call("GET", "/stream/a/prompts", "");
    EXPECT_EQ(json::parse(r.body)["active_prompt"], json::parse(R"({"3":{}})"));
    co_await registry.StopAll();
  });
}

TEST_F(ControlApiTest, ASwitchThatCannotBeIsToldWhy) {
  house.Run([&]() -> net::Task<> {
    co_await Call("POST", "/stream/start",
                  StartOf(R"("use_prompt_worker":true,"prompt":{"1":{}})"));
    for (const char* body : {"", "[]", "{}", R"({"prompt_id":5})", R"({"prompt_id":""})"}) {
      const net::HttpResponse bad = co_await Call("POST", "/stream/a/switch-prompt", body);
      EXPECT_EQ(bad.status, 400u) << body;
    }
    net::HttpResponse r =
        co_await Call("POST", "/stream/a/switch-prompt", R"({"prompt_id":"0123456789ab"})");
    EXPECT_EQ(r.status, 500u);
    EXPECT_EQ(json::parse(r.body)["message"],
              "Failed to switch prompt: Prompt 0123456789ab not found");
    r = co_await Call("POST", "/stream/a/restart-worker", "");
    EXPECT_EQ(r.status, 400u);
    co_await registry.StopAll();
    co_await Call("POST", "/stream/start", kGoodStart);
    r = co_await Call("POST", "/stream/a/switch-prompt", R"({"prompt_id":"0123456789ab"})");
    EXPECT_EQ(r.status, 400u);
    EXPECT_EQ(json::parse(r.body)["error"], "Stream a does not support prompt switching");
    co_await registry.StopAll();
  });
}

TEST_F(ControlApiTest, ASharedStreamTakesASharedWorkerAndSaysSo) {
  house.Run([&]() -> net::Task<> {
    net::HttpResponse r = co_await Call("POST", "/stream/start",
                                        StartOf(R"("dedicated_worker":false,"prompt":{"1":{}})"));
    EXPECT_EQ(r.status, 200u) << r.body;
    json answer = json::parse(r.body)["config"];
    EXPECT_EQ(answer["pipeline_type"], "Pipeline");
    EXPECT_EQ(answer["architecture"], "shared_single_process");
    EXPECT_EQ(answer["dedicated_worker"], false);
    EXPECT_TRUE(house.workers.workers.empty());
    EXPECT_EQ(house.shared_workers.workers.size(), 1u);
    EXPECT_GE(house.media.processes[0]->config.worker_frame_timeout_ms, 10'000);
    r = co_await Call("GET", "/stream/a/workers", "");
    answer = json::parse(r.body);
    EXPECT_EQ(answer["pipeline_type"], "Pipeline");
    EXPECT_EQ(answer["architecture"], "shared_single_process");
    EXPECT_EQ(answer["message"], "Shared single-process pipeline, no dedicated worker");
    const test::OpenApi document(json::parse(kOpenApiText));
    EXPECT_EQ(document.Differences("SharedWorker", answer), std::vector<std::string>());
    r = co_await Call("POST", "/stream/a/restart-workers", "");
    EXPECT_EQ(r.status, 400u);
    EXPECT_EQ(json::parse(r.body)["error"],
              "Stream a is not using ProcessPoolPipeline (dedicated worker)");
    co_await registry.StopAll();
  });
}

TEST_F(ControlApiTest, SeveralPromptsNeedPromptWorkers) {
  const json dedicated =
      Once("POST", "/stream/start", StartOf(R"("prompts":[{"1":{}},{"2":{}}])"), 400);
  EXPECT_NE(dedicated.dump().find("a dedicated worker runs one graph"), std::string::npos);
}

TEST_F(ControlApiTest, ThereIsABoundOnPromptWorkers) {
  const json many = Once(
      "POST", "/stream/start",
      StartOf(R"("use_prompt_worker":true,"prompts":[{"1":1},{"1":2},{"1":3},{"1":4},{"1":5}])"),
      400);
  EXPECT_NE(many.dump().find("at most 4 prompt workers"), std::string::npos) << many;
  EXPECT_TRUE(house.workers.workers.empty());
}

TEST_F(ControlApiTest, HealthTellsTheTruth) {
  house.Run([&]() -> net::Task<> {
    net::HttpResponse r = co_await Call("GET", "/health", "");
    EXPECT_EQ(json::parse(r.body)["status"], "LOADING");
    health.ever_ready = true;
    r = co_await Call("GET", "/health", "");
    EXPECT_EQ(json::parse(r.body)["status"], "IDLE");
    r = co_await Call("POST", "/stream/start", kGoodStart);
    r = co_await Call("GET", "/health", "");
    EXPECT_EQ(json::parse(r.body)["status"], "OK");
    health.given_up = true;
    r = co_await Call("GET", "/health", "");
    EXPECT_EQ(json::parse(r.body)["status"], "ERROR");
    co_await registry.StopAll();
  });
}

TEST_F(ControlApiTest, AStartWhileThePoolPausesIs503WithTheTimeToWait) {
  house.workers.refusals = 1 << 30;
  house.workers.paused = health.pause = std::chrono::milliseconds(41'200);
  house.Run([&]() -> net::Task<> {
    const net::HttpResponse response = co_await Call("POST", "/stream/start", kGoodStart);
    EXPECT_EQ(response.status, 503u) << response.body;
    const json body = json::parse(response.body);
    EXPECT_EQ(body["error"], "no worker");
    EXPECT_EQ(body["message"], "Failed to start stream a");
    EXPECT_EQ(body.value("retry_after", 0), 42);
    const auto header =
        std::find_if(response.headers.begin(), response.headers.end(),
                     [](const net::HttpHeader& one) { return one.first == "Retry-After"; });
    EXPECT_TRUE(header != response.headers.end() && header->second == "42");
    const net::HttpResponse told = co_await Call("GET", "/health", "");
    EXPECT_EQ(json::parse(told.body).value("retry_in_ms", 0), 41'200);
  });
}

TEST_F(ControlApiTest, AnswersHoldWhatTheDocumentSays) {
  const test::OpenApi document(json::parse(kOpenApiText));
  using Differences = std::vector<std::string>;
  house.Run([&]() -> net::Task<> {
    net::HttpResponse r = co_await Call("POST", "/stream/start", kGoodStart);
    EXPECT_EQ(document.Differences("Started", json::parse(r.body)), Differences());
    r = co_await Call("GET", "/health", "");
    EXPECT_EQ(document.Differences("Health", json::parse(r.body)), Differences());
    // Before and after the first word of the media process.
    for (const json& status : {json::object(), json{{"latency_ms", {{"p50", 1}, {"p99", 2}}},
                                                    {"service_ms", {{"p50", 1}, {"p99", 2}}},
                                                    {"queues", {{"waiting", 0}, {"in_flight", 1}}},
                                                    {"input", {{"bytes", 1}, {"reconnects", 2}}},
                                                    {"output", {{"reconnects", 2}}}}}) {
      house.media.processes[0]->Say({{"type", "status"}, {"status", status}});
      r = co_await Call("GET", "/stream/a/status", "");
      EXPECT_EQ(document.Differences("Status", json::parse(r.body)), Differences());
    }
    r = co_await Call("GET", "/stream/a/worker", "");
    EXPECT_EQ(document.Differences("Worker", json::parse(r.body)), Differences());
    r = co_await Call("GET", "/stream/a/prompts", "");
    EXPECT_EQ(document.Differences("Prompts", json::parse(r.body)), Differences());
    r = co_await Call("GET", "/version", "");
    EXPECT_EQ(document.Differences("Version", json::parse(r.body)), Differences());
    co_await registry.StopAll();
  });
}

TEST_F(ControlApiTest, RootIsAPageForBrowsersAndJsonForOthers) {
  headers = {{"Accept", "text/html,application/xhtml+xml"}};
  house.Run([&]() -> net::Task<> {
    net::HttpResponse r = co_await Call("GET", "/", "");
    EXPECT_NE(r.body.find("<!doctype html>"), std::string::npos);
    headers = {{"Accept", "*/*"}};
    r = co_await Call("GET", "/", "");
    EXPECT_EQ(json::parse(r.body)["service"], "framelockd");
    r = co_await Call("GET", "/openapi.json", "");
    EXPECT_EQ(json::parse(r.body)["openapi"], "3.0.3");
  });
}

TEST_F(ControlApiTest, ForeignPagesAreRefusedBeforeAnythingHappens) {
  headers = {{"Host", "127.0.0.1:8000"}, {"Origin", "http://evil.example"}};
  Once("POST", "/stream/start", kGoodStart, 403);
  EXPECT_TRUE(house.workers.workers.empty());
}

struct BadCall {
  const char* name;
  const char* method;
  const char* path;
  std::string body;
  unsigned status;
  const char* words;
};

class BadCallTest : public ControlApiTest, public testing::WithParamInterface<BadCall> {};

TEST_P(BadCallTest, IsAClear4xxAndStartsNothing) {
  const BadCall& row = GetParam();
  const json answer = Once(row.method, row.path, row.body, row.status);
  EXPECT_TRUE(answer.contains("error")) << answer;
  EXPECT_NE(answer.dump().find(row.words), std::string::npos) << answer;
  EXPECT_TRUE(house.workers.workers.empty());
}

std::string Nested(std::size_t depth) {
  std::string text;
  for (std::size_t i = 0; i < depth; ++i) text += "{\"a\":";
  return text + "1" + std::string(depth, '}');
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadCallTest,
    testing::Values(
        BadCall{"empty", "POST", "/stream/start", "", 400, "Invalid JSON"},
        BadCall{"half", "POST", "/stream/start", "{", 400, "Invalid JSON"},
        BadCall{"tail", "POST", "/stream/start", "{} x", 400, "Invalid JSON"},
        BadCall{"nan", "POST", "/stream/start", "{\"a\":NaN}", 400, "Invalid JSON"},
        BadCall{"infinity", "POST", "/stream/start", "{\"a\":-Infinity}", 400, "Invalid JSON"},
        BadCall{"huge_number", "POST", "/stream/start", "{\"a\":1e9999}", 400, "Invalid JSON"},
        BadCall{"not_utf8", "POST", "/stream/start", "{\"a\":\"\xff\"}", 400, "Invalid JSON"},
        BadCall{"nul_byte", "POST", "/stream/start", std::string("{\0}", 3), 400, "Invalid JSON"},
        BadCall{"comment", "POST", "/stream/start", "/* x */ {}", 400, "Invalid JSON"},
        BadCall{"list", "POST", "/stream/start", "[]", 400, "object"},
        BadCall{"null", "POST", "/stream/start", "null", 400, "object"},
        BadCall{"depth_10000", "POST", "/stream/start", Nested(10000), 400, "deeper than 64"},
        BadCall{"lists_100000", "POST", "/stream/start", std::string(100000, '['), 400, "deeper"},
        BadCall{"many_values", "POST", "/stream/start", "[" + std::string(300000, ',') + "]", 400,
                "more than"},
        BadCall{"unknown_path", "GET", "/nothing", "", 404, "Not found"},
        BadCall{"unknown_deep_path", "GET", "/stream/a/b/c", "", 404, "Not found"},
        BadCall{"wrong_method", "PUT", "/stream/start", "{}", 405, "POST"},
        BadCall{"preflight_without_cors", "OPTIONS", "/stream/start", "", 405, "POST"},
        BadCall{"broken_escape", "GET", "/stream/%zz/status", "", 400, "escape"},
        BadCall{"nul_escape", "GET", "/stream/%00/status", "", 400, "escape"},
        BadCall{"status_of_nobody", "GET", "/stream/x/status", "", 404, "Stream x not found"},
        BadCall{"stop_of_nobody", "POST", "/stream/x/stop", "", 404, "not found or failed to stop"},
        BadCall{"delete_of_nobody", "DELETE", "/stream/x", "", 404, "not found"},
        BadCall{"update_of_nobody", "POST", "/stream/x/update-prompts", "{}", 404, "not found"},
        BadCall{"switch_of_nobody", "POST", "/stream/x/switch-prompt", "{}", 404, "not found"},
        BadCall{"prompts_of_nobody", "GET", "/stream/x/prompts", "", 404, "not found"},
        BadCall{"worker_of_nobody", "GET", "/stream/x/worker", "", 404, "not found"},
        BadCall{"restart_of_nobody", "POST", "/stream/x/restart-worker", "", 404, "not found"},
        BadCall{"workspace_of_nobody", "GET", "/stream/x/workspace-info", "", 404, "not found"}),
    [](const auto& row) { return std::string(row.param.name); });

TEST_F(ControlApiTest, ABodyThatWasTooLongIs413) {
  house.Run([&]() -> net::Task<> {
    net::HttpRequest request;
    request.method = "POST";
    request.path = "/stream/start";
    Error too_long;
    too_long.code = ErrorCode::kResourceLimit;
    Result<std::string> body = too_long;
    const net::HttpResponse response = co_await api.Answer(request, std::move(body));
    EXPECT_EQ(response.status, 413u);
    EXPECT_TRUE(response.close);
  });
}

TEST_F(ControlApiTest, ARefusedOriginsBodyIsNotEvenRead) {
  net::HttpRequest request;
  request.method = "POST";
  request.path = "/stream/start";
  request.headers = {{"Host", "127.0.0.1:8000"}};
  EXPECT_TRUE(api.NeedsBody(request));
  request.headers.emplace_back("Origin", "http://evil.example");
  EXPECT_FALSE(api.NeedsBody(request));
}

TEST_F(ControlApiTest, BadUpdatesLeaveTheStreamAlone) {
  house.Run([&]() -> net::Task<> {
    co_await Call("POST", "/stream/start", kGoodStart);
    const std::vector<std::string> bad{"",
                                       "{",
                                       "[]",
                                       "{}",
                                       R"({"prompt":"{bad"})",
                                       R"({"prompt":5})",
                                       R"({"prompt":"{}","prompts":[{}]})",
                                       R"({"prompts":"x"})",
                                       R"({"prompts":[]})",
                                       R"({"prompts":[1]})",
                                       R"({"prompts":[{"1":1},{"1":2}]})",
                                       R"({"prompt":"{}","parameters":[]})",
                                       R"({"prompt":"{}","parameters":{"width":"wide"}})",
                                       Nested(10000)};
    for (const std::string& body : bad) {
      const net::HttpResponse response = co_await Call("POST", "/stream/a/update-prompts", body);
      EXPECT_EQ(response.status, 400u) << body.substr(0, 60);
    }
    EXPECT_TRUE(house.media.processes[0]->prompts.empty());
    EXPECT_EQ(registry.Find("a")->prompt().revision(), 1u);
    co_await registry.StopAll();
  });
}

}  // namespace
}  // namespace framelock::api
