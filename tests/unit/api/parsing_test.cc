// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <tuple>
#include <vector>

#include "api/json_text.h"
#include "api/prompt_choice.h"
#include "api/start_request.h"
#include "api/stream_url.h"
#include "api/update_request.h"

namespace framelock::api {
namespace {

using nlohmann::json;

json Start(json changes = json::object()) {
  json body = {{"subscribe_url", "http://h/in"},
               {"publish_url", "http://h/out"},
               {"gateway_request_id", "a"},
               {"params", json::object()}};
  body.update(changes);
  return body;
}

Result<StartRequest> Parse(const json& body) { return ParseStartRequest(body, std::nullopt, {}); }

std::string ErrorOf(const json& body) {
  const auto parsed = Parse(body);
  return parsed ? "accepted" : parsed.error().message;
}

TEST(JsonText, DepthIsBoundedWithoutRecursion) {
  const std::string deep(1'000'000, '[');
  const auto parsed = ParseJson(deep);
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().code, ErrorCode::kResourceLimit);
  EXPECT_TRUE(ParseJson(std::string(64, '[') + std::string(64, ']')));
  EXPECT_FALSE(ParseJson(std::string(65, '[') + std::string(65, ']')));
}

TEST(JsonText, BracketsInsideStringsDoNotCount) {
  EXPECT_TRUE(ParseJson("\"" + std::string(1000, '[') + "\\\"" + std::string(1000, '{') + "\""));
}

TEST(JsonText, NumberOfValuesIsBounded) {
  std::string many = "[0";
  for (int i = 0; i < 200'000; ++i) many += ",0";
  const auto parsed = ParseJson(many + "]");
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().code, ErrorCode::kResourceLimit);
}

TEST(JsonText, SyntaxErrorsTellWhere) {
  const auto parsed = ParseJson("{\"a\":\n NaN}");
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().code, ErrorCode::kInvalidArgument);
  EXPECT_NE(parsed.error().message.find("line 2"), std::string::npos) << parsed.error().message;
  for (const char* text : {"", "{", "nul", "[1,]", "{\"a\":1} x", "\"\xff\"", "1e999", "'a'"}) {
    EXPECT_FALSE(ParseJson(text)) << text;
  }
}

TEST(JsonText, DeepValuesAreFoundWithoutRecursion) {
  json deep = 1;
  for (int i = 0; i < 100; ++i) deep = json::array({std::move(deep)});
  EXPECT_TRUE(IsDeeperThan(deep, 99));
  EXPECT_FALSE(IsDeeperThan(deep, 100));
  EXPECT_FALSE(IsDeeperThan(json(5), 0));
}

TEST(StreamUrl, BadOnes) {
  for (const std::string& url :
       {std::string(), std::string("nonsense"), std::string("file:///etc/passwd"),
        std::string("gopher://h/x"), std::string("http://"), std::string("http:///x"),
        std::string("http://:80/x"), std::string("http://h:0/x"), std::string("http://h:99999/x"),
        std::string("http://h:x/x"), std::string("http://h/a\r\nX: y"), std::string("http://h/a b"),
        std::string("http://h\\x/"), std::string("http://h:80:90/x"), std::string("http://[::1/x"),
        std::string("http://[zz]/x"), std::string("http://[::1]x/"),
        std::string("http://a\0b/", 11), std::string("://h/x"), std::string("http://u@/x"),
        std::string("http://h%41/x"),
        // What tricklesrc and websocketsrc would refuse later.
        std::string("wss://u:p@h/x"), std::string("http://u@h/x"), std::string("https://h/x?y=1#z"),
        std::string("http://h/%zz"), std::string("ws://h/a%2"), std::string("http://0x7f.1/x"),
        std::string("http://h"), std::string("http://h//"), "http://h/" + std::string(5000, 'x')}) {
    EXPECT_FALSE(CheckStreamUrl(url)) << url;
  }
}

TEST(StreamUrl, PasswordsAreNotRepeated) {
  const auto bad = CheckStreamUrl("http://user:secret@h:99999/");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().message.find("secret"), std::string::npos);
}

TEST(StartRequest, UrlsAreTakenAsTheClientsReadThem) {
  for (const std::string& url :
       {std::string("http://h:1/x"), std::string("https://a.b-c_d/x?y=1"),
        std::string("ws://127.0.0.1:80/ws/a"), std::string("wss://h"),
        std::string("http://[::1]:8000/a"), std::string("http://h:65535/%2Fa"),
        "http://h/" + std::string(2039, 'x')}) {
    const auto parsed = Parse(Start({{"publish_url", url}}));
    ASSERT_TRUE(parsed) << url << ": " << parsed.error().message;
    EXPECT_EQ(parsed->config.publish_url, url);
  }
  const auto parsed = Parse(Start({{"subscribe_url", "HTTP://Host/X"}}));
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(parsed->config.subscribe_url, "http://Host/X");
  EXPECT_TRUE(Parse(Start({{"publish_url", "WsS://h/x"}})));
}

TEST(StartRequest, NestedBody) {
  const auto parsed = Parse(Start({{"params",
                                    {{"width", "640"},
                                     {"height", 360},
                                     {"max_framerate", "30"},
                                     {"dedicated_worker", true},
                                     {"prompt", "{\"1\":{}}"},
                                     {"unknown", {1, 2}}}}}));
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(parsed->config.id, "a");
  EXPECT_EQ(parsed->config.width, 640);
  EXPECT_EQ(parsed->config.height, 360);
  EXPECT_EQ(parsed->config.max_framerate, 30);
  EXPECT_EQ(parsed->prompt.text, "{\"1\":{}}");
  EXPECT_EQ(parsed->prompt.count, 1u);
}

TEST(StartRequest, TheClientChoosesTheEncoderButNotTheHardware) {
  const json params = {{"encoder", "openh264"}, {"hardware", true}, {"hw", true}};
  const auto parsed = Parse(Start({{"params", params}}));
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(parsed->config.encoder, "openh264");
  EXPECT_FALSE(parsed->config.hardware);
}

TEST(StartRequest, FlatBodyNeedsNoId) {
  json body = Start({{"width", 64}, {"height", 64}, {"prompts", {json::object()}}});
  body.erase("params");
  body.erase("gateway_request_id");
  const auto parsed = Parse(body);
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(parsed->config.id, "");
  EXPECT_EQ(parsed->config.width, 64);
  EXPECT_EQ(parsed->prompt.text, "{}");
}

TEST(StartRequest, ParamsWinOverTheSameKeysBeside) {
  const auto parsed = Parse(Start({{"width", 64}, {"params", {{"width", 128}}}}));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->config.width, 128);
}

TEST(StartRequest, NullsAreAbsent) {
  const auto parsed = Parse(Start({{"params", nullptr},
                                   {"control_url", nullptr},
                                   {"events_url", nullptr},
                                   {"data_url", nullptr}}));
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_TRUE(parsed->prompt.text.empty());
}

TEST(StartRequest, TextsGoToTheDataChannel) {
  const auto parsed = Parse(Start({{"data_url", "HTTP://h/data"},
                                   {"params", {{"max_text_bytes", 9}, {"max_waiting_texts", 7}}}}));
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(parsed->config.data_url, "http://h/data");
  EXPECT_EQ(parsed->config.max_text_bytes, 9);
  EXPECT_EQ(parsed->config.max_waiting_texts, 7);
  EXPECT_NE(ErrorOf(Start({{"data_url", "ws://h/data"}})).find("data_url"), std::string::npos);
  EXPECT_NE(ErrorOf(Start({{"data_url", "no url"}})).find("data_url"), std::string::npos);
}

TEST(StartRequest, OtherNamesOfTheId) {
  for (const char* name : {"request_id", "stream_id"}) {
    json body = Start({{name, "b"}});
    body.erase("gateway_request_id");
    const auto parsed = Parse(body);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->config.id, "b");
  }
  json body = Start();
  body.erase("gateway_request_id");
  const auto parsed = ParseStartRequest(body, "from-header", {});
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->config.id, "from-header");
  EXPECT_FALSE(ParseStartRequest(body, "../x", {}));
}

TEST(StartRequest, ParamsWinOverTheDaemonsDefaults) {
  stream::StreamConfig defaults;
  defaults.worker_frame_timeout_ms = 3000;
  defaults.worker_load_timeout_ms = 4000;
  const json body = Start({{"params", {{"worker_load_timeout_ms", 5000}}}});
  const auto parsed = ParseStartRequest(body, std::nullopt, {}, defaults);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->config.worker_frame_timeout_ms, 3000);
  EXPECT_EQ(parsed->config.worker_load_timeout_ms, 5000);
}

TEST(StartRequest, EveryLimitOfAWorkerIsAParameter) {
  for (const char* name :
       {"worker_heartbeat_timeout_ms", "worker_first_frame_timeout_ms", "worker_frame_timeout_ms",
        "worker_frame_timeout_factor", "worker_load_timeout_ms"}) {
    EXPECT_EQ(ErrorOf(Start({{"params", {{name, 777}}}})), "accepted");
    EXPECT_NE(ErrorOf(Start({{"params", {{name, 0}}}})).find(name), std::string::npos);
  }
}

TEST(StartRequest, EmptyPromptsMeanTheDefault) {
  for (const json& params : {json{{"prompt", ""}}, json{{"prompts", json::array()}}}) {
    const auto parsed = Parse(Start({{"params", params}}));
    ASSERT_TRUE(parsed);
    EXPECT_TRUE(parsed->prompt.text.empty());
  }
}

struct BadStart {
  const char* name;
  json changes;  // null value in `params` position means: as it stands
  const char* words;
};

class BadStartTest : public testing::TestWithParam<BadStart> {};

TEST_P(BadStartTest, NamesFieldAndReason) {
  const std::string error = ErrorOf(Start(GetParam().changes));
  EXPECT_NE(error.find(GetParam().words), std::string::npos) << error;
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadStartTest,
    testing::Values(
        BadStart{"subscribe_url_null",
                 {{"subscribe_url", nullptr}},
                 "Missing required field: subscribe_url"},
        BadStart{
            "publish_url_null", {{"publish_url", nullptr}}, "Missing required field: publish_url"},
        BadStart{"id_null",
                 {{"gateway_request_id", nullptr}},
                 "Missing required field: gateway_request_id"},
        BadStart{"subscribe_url_number", {{"subscribe_url", 5}}, "subscribe_url must be a string"},
        BadStart{"subscribe_url_empty", {{"subscribe_url", ""}}, "Invalid subscribe_url"},
        BadStart{"publish_url_scheme", {{"publish_url", "ftp://h/x"}}, "Invalid publish_url"},
        BadStart{"subscribe_url_user",
                 {{"subscribe_url", "http://u:secret@h/x"}},
                 "Invalid subscribe_url: url: user names are not accepted"},
        BadStart{"publish_url_fragment",
                 {{"publish_url", "ws://h/x#y"}},
                 "Invalid publish_url: url: fragments"},
        BadStart{
            "publish_url_escape", {{"publish_url", "http://h/%x"}}, "Invalid publish_url: url"},
        BadStart{"subscribe_url_channel",
                 {{"subscribe_url", "http://h/"}},
                 "Invalid subscribe_url: url: the path names no channel"},
        BadStart{"subscribe_url_long",
                 {{"subscribe_url", "http://h/" + std::string(2040, 'x')}},
                 "subscribe_url: longer than 2048 bytes"},
        BadStart{"control_url_bad", {{"control_url", "x"}}, "Invalid control_url"},
        BadStart{"events_url_type", {{"events_url", 1}}, "events_url must be a string"},
        BadStart{"id_number", {{"gateway_request_id", 7}}, "gateway_request_id must be a string"},
        BadStart{"id_empty", {{"gateway_request_id", ""}}, "gateway_request_id"},
        BadStart{"id_slash", {{"gateway_request_id", "a/b"}}, "gateway_request_id"},
        BadStart{"id_dots", {{"gateway_request_id", ".."}}, "gateway_request_id"},
        BadStart{"id_long", {{"gateway_request_id", std::string(129, 'x')}}, "gateway_request_id"},
        BadStart{"id_route_word", {{"gateway_request_id", "status"}}, "gateway_request_id"},
        BadStart{"id_control", {{"gateway_request_id", "a\nb"}}, "gateway_request_id"},
        BadStart{"params_list", {{"params", json::array()}}, "params must be an object"},
        BadStart{"params_text", {{"params", "x"}}, "params must be an object"},
        BadStart{"width_zero", {{"params", {{"width", 0}}}}, "width"},
        BadStart{"width_negative", {{"params", {{"width", -2}}}}, "width"},
        BadStart{"width_huge", {{"params", {{"width", 100000}}}}, "width"},
        BadStart{"width_2_64", {{"params", {{"width", 18446744073709551615u}}}}, "Width"},
        BadStart{"width_fraction", {{"params", {{"width", 51.5}}}}, "valid integers"},
        BadStart{"width_bool", {{"params", {{"width", true}}}}, "valid integers"},
        BadStart{"height_word", {{"params", {{"height", "tall"}}}}, "height"},
        BadStart{"height_tail", {{"params", {{"height", "512px"}}}}, "height"},
        BadStart{"framerate_zero", {{"params", {{"max_framerate", 0}}}}, "positive integer"},
        BadStart{"framerate_61", {{"params", {{"max_framerate", 61}}}}, "cannot exceed 60 FPS"},
        BadStart{"framerate_word", {{"params", {{"max_framerate", "fast"}}}}, "valid integer"},
        BadStart{"dedicated_word",
                 {{"params", {{"dedicated_worker", "maybe"}}}},
                 "dedicated_worker must be a boolean"},
        BadStart{"prompt_number", {{"params", {{"prompt", 5}}}}, "prompt must be"},
        BadStart{"prompt_list", {{"params", {{"prompt", json::array()}}}}, "prompt must be"},
        BadStart{"prompt_syntax", {{"params", {{"prompt", "{bad"}}}}, "Invalid prompt JSON: "},
        BadStart{"prompt_text_list", {{"params", {{"prompt", "[]"}}}}, "Invalid prompt JSON: "},
        BadStart{"prompt_nan", {{"params", {{"prompt", "{\"1\":NaN}"}}}}, "Invalid prompt JSON: "},
        BadStart{"prompt_deep",
                 {{"params", {{"prompt", std::string(10000, '[')}}}},
                 "nested deeper than 64"},
        BadStart{"prompts_object",
                 {{"params", {{"prompts", {{"1", 2}}}}}},
                 "prompts must be a list of prompt objects"},
        BadStart{"prompts_numbers",
                 {{"params", {{"prompts", {1, 2}}}}},
                 "prompts must be a list of prompt objects"},
        BadStart{"per_prompt_word",
                 {{"params", {{"use_prompt_worker", 1}}}},
                 "use_prompt_worker must be a boolean"},
        BadStart{"encoder_word", {{"params", {{"encoder", "x265"}}}}, "encoder: must be x264"},
        BadStart{"gop_word", {{"params", {{"gop_seconds", "x"}}}}, "gop_seconds"},
        BadStart{"on_missing_word", {{"params", {{"on_missing", "explode"}}}}, "on_missing"},
        BadStart{"cadence_word", {{"params", {{"cadence", "fast"}}}}, "cadence"},
        BadStart{"latency_word", {{"params", {{"latency_ms", "low"}}}}, "latency_ms"}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(StartRequest, BodyMustBeAnObject) {
  for (const json& body : {json::array(), json(7), json(), json("x"), json(true)}) {
    EXPECT_EQ(ErrorOf(body), "the body must be a JSON object");
  }
}

TEST(PromptChoice, TextIsPassedOnAsItCame) {
  const std::string text = "{ \"9\" : {\"class_type\":\"x\"}, \"1\": {} }";
  const auto chosen = ChoosePrompt(json(text), json(), {});
  ASSERT_TRUE(chosen);
  EXPECT_EQ(chosen->text, text);
}

TEST(PromptChoice, EqualPromptsCountButCollapse) {
  const auto chosen =
      ChoosePrompt(json(), json::array({json{{"1", 1}}, "{\"1\": 1}", json{{"1", 1}}}), {});
  ASSERT_TRUE(chosen) << chosen.error().message;
  EXPECT_EQ(chosen->count, 3u);
  EXPECT_TRUE(chosen->further.empty());
}

TEST(PromptChoice, DifferentOnesAreAllKeptInOrder) {
  const auto chosen = ChoosePrompt(
      json(), json::array({json{{"1", 1}}, json{{"1", 2}}, "{\"1\": 1}", json{{"1", 3}}}), {});
  ASSERT_TRUE(chosen);
  EXPECT_EQ(chosen->count, 4u);
  EXPECT_EQ(chosen->distinct(), (std::vector<std::string>{"{\"1\":1}", "{\"1\":2}", "{\"1\":3}"}));
}

TEST(PromptChoice, ThereIsABoundOnDifferentOnes) {
  json prompts = json::array();
  for (std::size_t i = 0; i <= kMaxDistinctPrompts; ++i) prompts.push_back({{"1", i}});
  EXPECT_FALSE(ChoosePrompt(json(), prompts, {}));
  prompts.erase(0);
  EXPECT_TRUE(ChoosePrompt(json(), prompts, {}));
}

TEST(PromptChoice, OnlyPromptWorkersRunSeveral) {
  PromptChoice choice;
  choice.text = "{}";
  EXPECT_TRUE(CheckPromptCount(choice, Architecture::kShared, 1));
  choice.further = {"1", "2", "3"};
  EXPECT_TRUE(CheckPromptCount(choice, Architecture::kPerPrompt, 4));
  for (const auto& [architecture, most, words] :
       {std::tuple(Architecture::kPerPrompt, 3, "prompts holds 4 different prompts"),
        std::tuple(Architecture::kDedicated, 4, "a dedicated worker runs one graph"),
        std::tuple(Architecture::kShared, 4, "a shared worker runs one graph")}) {
    const Status fits = CheckPromptCount(choice, architecture, static_cast<std::size_t>(most));
    ASSERT_FALSE(fits);
    EXPECT_NE(fits.error().message.find(words), std::string::npos) << fits.error().message;
  }
}

TEST(PromptChoice, IdsNameGraphsNotTexts) {
  EXPECT_EQ(PromptId("{ \"b\": 1, \"a\": {} }"), PromptId("{\"a\":{},\"b\":1}"));
  EXPECT_NE(PromptId("{\"a\":1}"), PromptId("{\"a\":2}"));
  EXPECT_EQ(PromptId("{}"), "99914b932bd3");  // of the two brackets
}

TEST(StartRequest, NamesItsArchitecture) {
  const auto of = [](const json& params) {
    return Parse(Start({{"params", params}}))->architecture;
  };
  EXPECT_EQ(of(json::object()), Architecture::kDedicated);
  EXPECT_EQ(of({{"dedicated_worker", false}}), Architecture::kShared);
  EXPECT_EQ(of({{"dedicated_worker", false}, {"use_prompt_worker", true}}),
            Architecture::kPerPrompt);
  EXPECT_EQ(of({{"use_prompt_worker", true}}), Architecture::kPerPrompt);
}

TEST(StartRequest, WhoSharesWaitsForTheOthersTurns) {
  stream::StreamConfig config;
  config.worker_frame_timeout_ms = 1000;
  config.worker_first_frame_timeout_ms = 10'000;
  AllowForTurns(4, config);
  EXPECT_EQ(config.worker_frame_timeout_ms, 10'000);
  EXPECT_EQ(config.worker_first_frame_timeout_ms, 40'000);
  config.worker_frame_timeout_ms = 86'400'000;
  AllowForTurns(63, config);
  EXPECT_EQ(config.worker_frame_timeout_ms, 86'400'000);
}

TEST(PromptChoice, TheDefaultInverts) {
  const json prompt = json::parse(kDefaultPrompt);
  EXPECT_EQ(prompt["2"]["class_type"], "ImageInvert");
  EXPECT_EQ(prompt["2"]["inputs"]["image"], json::array({"1", 0}));
  EXPECT_EQ(prompt["3"]["inputs"]["images"], json::array({"2", 0}));
}

TEST(UpdateRequest, ExactlyOneOfPromptAndPrompts) {
  EXPECT_FALSE(ParseUpdateRequest(json::object(), {}));
  EXPECT_FALSE(ParseUpdateRequest({{"prompt", "{}"}, {"prompts", {json::object()}}}, {}));
  EXPECT_FALSE(ParseUpdateRequest({{"prompts", json::array()}}, {}));
  EXPECT_FALSE(ParseUpdateRequest({{"prompt", ""}}, {}));
  EXPECT_FALSE(ParseUpdateRequest(json::array(), {}));
  EXPECT_TRUE(ParseUpdateRequest({{"prompt", json::object()}}, {}));
  EXPECT_TRUE(ParseUpdateRequest({{"prompts", {"{}"}}}, {}));
}

TEST(UpdateRequest, ParametersAreTakenOrRefusedByName) {
  const auto parsed = ParseUpdateRequest(
      {{"prompt", "{}"},
       {"parameters",
        {{"width", 512}, {"height", 256}, {"gpu_only", true}, {"warmup", true}, {"depth", 3}}}},
      {});
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_TRUE(parsed->parameters_given);
  EXPECT_EQ(parsed->width, 512);
  EXPECT_EQ(parsed->height, 256);
  EXPECT_EQ(parsed->worker.gpu_only, true);
  EXPECT_FALSE(parsed->worker.disable_cuda_malloc);
  EXPECT_TRUE(parsed->warmup);
  ASSERT_EQ(parsed->refused_parameters.size(), 1u);
  EXPECT_EQ(parsed->refused_parameters[0].first, "depth");
  for (const json& parameters :
       {json::array(), json("x"), json{{"width", "w"}}, json{{"warmup", 1}}, json{{"cwd", 1}}}) {
    EXPECT_FALSE(ParseUpdateRequest({{"prompt", "{}"}, {"parameters", parameters}}, {}))
        << parameters;
  }
}

TEST(UpdateRequest, AnUnusableSettingIsRefusedByItsName) {
  const auto refusal = [](const json& parameters) {
    const auto parsed = ParseUpdateRequest({{"prompt", "{}"}, {"parameters", parameters}}, {});
    return parsed ? "none" : parsed.error().message;
  };
  for (const char* name : {"gpu_only", "disable_cuda_malloc", "preview_method", "cwd", "warmup"}) {
    EXPECT_NE(refusal({{name, 1}}).find(std::string("parameters.") + name), std::string::npos);
  }
  EXPECT_NE(refusal({{"preview_method", "best"}}).find("latent2rgb"), std::string::npos);
  EXPECT_NE(refusal({{"cwd", "/tmp"}}).find("--workspace-root"), std::string::npos);
  EXPECT_EQ(refusal({{"cwd", nullptr}, {"gpu_only", nullptr}, {"preview_method", "taesd"}}),
            "none");
}

TEST(StartRequest, TakesTheSettingsOfTheWorker) {
  const auto parsed = Parse(
      Start({{"params", {{"gpu_only", true}, {"cwd", nullptr}, {"preview_method", "taesd"}}}}));
  ASSERT_TRUE(parsed) << parsed.error().message;
  stream::WorkerSettings wanted;
  wanted.gpu_only = true;
  wanted.preview_method = "taesd";
  EXPECT_EQ(parsed->config.worker, wanted);
  const auto refused = Parse(Start({{"params", {{"cwd", "/tmp"}}}}));
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("cwd: this server"), std::string::npos);
}

TEST(UpdateRequest, AnUnusableSizeIsRefusedByItsName) {
  const auto parse = [](const json& parameters) {
    return ParseUpdateRequest({{"prompt", "{}"}, {"parameters", parameters}}, {});
  };
  const auto text = parse({{"width", "768"}});
  ASSERT_TRUE(text);
  EXPECT_EQ(text->width, 768);
  EXPECT_FALSE(text->height);
  for (const json& side : {json(15), json(4097), json(-1), json(1e3), json(true), json("wide"),
                           json(18446744073709551615u), json::array()}) {
    for (const char* name : {"width", "height"}) {
      const auto refused = parse({{name, side}});
      ASSERT_FALSE(refused) << name << " " << side;
      EXPECT_NE(refused.error().message.find(std::string("parameters.") + name), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace framelock::api
