// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stream/stream_status.h"

#include <gtest/gtest.h>

namespace framelock::stream {
namespace {

using nlohmann::json;
using std::chrono::seconds;

const SteadyTime kNow{seconds(1000)};

TEST(StreamState, FollowsTheSigns) {
  EXPECT_EQ(Judge({}, kNow), StreamState::kStarting);
  EXPECT_EQ(Judge({.playing = true}, kNow), StreamState::kWaitingForInput);
  EXPECT_EQ(Judge({.playing = true, .last_picture = kNow - seconds(1)}, kNow),
            StreamState::kDegraded);
  EXPECT_EQ(Judge({.playing = true, .worker_ready = true, .last_picture = kNow - seconds(1)}, kNow),
            StreamState::kRunning);
  EXPECT_EQ(Judge({.playing = true, .worker_ready = true, .last_picture = kNow - seconds(3)}, kNow),
            StreamState::kWaitingForInput);
  EXPECT_EQ(Judge({.playing = true, .ended = true, .worker_ready = true}, kNow),
            StreamState::kEnded);
  EXPECT_EQ(Judge({.playing = true, .ended = true, .failed = true}, kNow), StreamState::kError);
}

TEST(StreamStatus, HasEveryFieldEvenWithoutFigures) {
  StreamStatus status;
  status.filter = status.input = status.output = json::object();
  const json object = ToJson(status);
  EXPECT_EQ(object["state"], "starting");
  EXPECT_EQ(object["account"], json::parse(R"({"inputs":0,"completed":0,"skipped":0,"failed":0,
                                               "lost":0,"open":0})"));
  for (const char* name :
       {"uptime_ms", "passed_through", "repeated", "late", "pushed", "fps_in", "fps_out",
        "latency_ms", "service_ms", "cadence", "queues", "worker", "prompt_revision", "texts",
        "input", "output", "decode_errors", "last_error"}) {
    EXPECT_TRUE(object.contains(name)) << name;
  }
  EXPECT_EQ(object["last_error"], "");
}

TEST(StreamStatus, AddsUpTheTextsThatWereDropped) {
  StreamStatus status;
  status.input = status.output = json::object();
  status.filter = {{"texts", 9}, {"texts_dropped", 2}};
  status.texts_dropped = 3;
  EXPECT_EQ(ToJson(status)["texts"], (json{{"passed", 9}, {"dropped", 5}, {"channel", nullptr}}));
}

TEST(StreamStatus, TranslatesTheFiltersFigures) {
  StreamStatus status;
  status.state = StreamState::kRunning;
  status.filter = {{"inputs", 10},        {"completed", 8},         {"skipped", 1},
                   {"open", 1},           {"latency_p50_us", 2500}, {"service_p99_us", 40},
                   {"in_flight", 1},      {"worker_pid", 77},       {"worker_state", "ready"},
                   {"late", 3},           {"prompt_revision", 5},   {"fps_out", 29.9},
                   {"cadence", "steady"}, {"divisor", 2},           {"budget_us", 1500},
                   {"inputs_text", "x"}};
  status.input = {{"bytes", 5}};
  status.output = json::object();
  const json object = ToJson(status);
  EXPECT_EQ(object["state"], "running");
  EXPECT_EQ(object["account"]["completed"], 8);
  EXPECT_EQ(object["latency_ms"]["p50"], 2.5);
  EXPECT_EQ(object["service_ms"]["p99"], 0.04);
  EXPECT_EQ(object["queues"]["in_flight"], 1);
  EXPECT_EQ(object["cadence"], (json{{"policy", "steady"}, {"divisor", 2}, {"budget_ms", 1.5}}));
  EXPECT_EQ(object["worker"]["pid"], 77);
  EXPECT_EQ(object["worker"]["state"], "ready");
  EXPECT_EQ(object["late"], 3);
  EXPECT_EQ(object["fps_out"], 29.9);
  EXPECT_EQ(object["input"]["bytes"], 5);
}

TEST(StreamStatus, BearsFiguresOfTheWrongType) {
  StreamStatus status;
  status.filter = {{"inputs", "many"}, {"worker_state", 7}, {"latency_p50_us", json::array()}};
  status.input = {{"last_error", 1}};
  status.output = json::object();
  const json object = ToJson(status);
  EXPECT_EQ(object["account"]["inputs"], 0);
  EXPECT_EQ(object["worker"]["state"], "");
  EXPECT_EQ(object["last_error"], "");
}

TEST(StreamStatus, NamesTheNearestError) {
  StreamStatus status;
  status.filter = {{"last_error", "worker"}};
  status.input = {{"last_error", "input"}};
  status.output = json::object();
  EXPECT_EQ(ToJson(status)["last_error"], "input");
  status.last_error = "stream";
  EXPECT_EQ(ToJson(status)["last_error"], "stream");
}

}  // namespace
}  // namespace framelock::stream
