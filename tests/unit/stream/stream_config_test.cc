// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stream/stream_config.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace framelock::stream {
namespace {

using nlohmann::json;

TEST(StreamConfig, KeepsEveryFieldOnTheWayThroughJson) {
  StreamConfig config;
  config.id = "a";
  config.subscribe_url = "http://127.0.0.1:1/in";
  config.publish_url = "wss://example.org/out";
  config.data_url = "http://127.0.0.1:1/data";
  config.max_text_bytes = 100;
  config.max_waiting_texts = 3;
  config.width = 640;
  config.height = 360;
  config.max_framerate = 24;
  config.gop_seconds = 1;
  config.bitrate_kbps = 777;
  config.encoder = "openh264";
  config.hardware = true;
  config.trace_latency = true;
  config.on_missing = "repeat";
  config.cadence = "every";
  config.latency_ms = 80;
  config.max_in_flight = 3;
  config.audio = "none";
  config.audio_buffer_ms = 500;
  config.max_input_pixels = 640 * 360;
  config.input_retry_seconds = 0;
  config.worker_heartbeat_timeout_ms = 900;
  config.worker_first_frame_timeout_ms = 60'000;
  config.worker_frame_timeout_ms = 3000;
  config.worker_frame_timeout_factor = 5;
  config.worker_load_timeout_ms = 600'000;
  config.prompt_timeout_ms = 30'000;
  const Result<StreamConfig> back = StreamConfigFromJson(ToJson(config));
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(*back, config);
}

TEST(StreamConfig, LeavesOutWhatIsNotSet) {
  StreamConfig config;
  config.id = "a";
  const json object = ToJson(config);
  EXPECT_FALSE(object.contains("subscribe_url"));
  EXPECT_FALSE(object.contains("max_framerate"));
  EXPECT_FALSE(object.contains("latency_ms"));
  const Result<StreamConfig> back = StreamConfigFromJson(object);
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(*back, config);
}

TEST(StreamConfig, TextsGoToATrickleChannelOnly) {
  const auto config = StreamConfigFromJson({{"id", "a"}, {"data_url", "ws://h/data"}});
  ASSERT_FALSE(config.ok());
  EXPECT_NE(config.error().message.find("data_url: must begin with http"), std::string::npos);
}

TEST(StreamConfig, TakesNullForNotGiven) {
  const auto config =
      StreamConfigFromJson({{"id", "a"}, {"max_framerate", nullptr}, {"publish_url", nullptr}});
  ASSERT_TRUE(config.ok());
  EXPECT_FALSE(config->max_framerate);
  EXPECT_FALSE(config->publish_url);
}

TEST(StreamConfig, WhatIsNotNamedIsAsInTheDefaults) {
  StreamConfig defaults;
  defaults.worker_frame_timeout_ms = 4000;
  defaults.worker_load_timeout_ms = 9000;
  const auto config =
      StreamConfigFromJson({{"id", "a"}, {"worker_load_timeout_ms", 1000}}, defaults);
  ASSERT_TRUE(config.ok());
  EXPECT_EQ(config->worker_frame_timeout_ms, 4000);
  EXPECT_EQ(config->worker_load_timeout_ms, 1000);
}

struct BadField {
  const char* text;
  const char* message;
};

class BadStreamConfig : public testing::TestWithParam<BadField> {};

TEST_P(BadStreamConfig, NamesTheFieldAndTheReason) {
  const Result<StreamConfig> config = StreamConfigFromJson(json::parse(GetParam().text));
  ASSERT_FALSE(config.ok());
  EXPECT_EQ(config.error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(config.error().message, GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadStreamConfig,
    testing::Values(
        BadField{R"([])", "stream configuration: must be an object"},
        BadField{R"({})", "id: is missing"}, BadField{R"({"id":""})", "id: must not be empty"},
        BadField{R"({"id":7})", "id: must be a string"},
        BadField{R"({"id":"a\nb"})", "id: contains a control character"},
        BadField{R"({"id":"a","width":"512"})", "width: must be an integer"},
        BadField{R"({"id":"a","width":512.5})", "width: must be an integer"},
        BadField{R"({"id":"a","height":8})", "height: must be 16..4096"},
        BadField{R"({"id":"a","height":18446744073709551615})", "height: must be 16..4096"},
        BadField{R"({"id":"a","max_input_pixels":255})", "max_input_pixels: must be 256..35651584"},
        BadField{R"({"id":"a","max_framerate":0})", "max_framerate: must be 1..60"},
        BadField{R"({"id":"a","max_framerate":61})", "max_framerate: must be 1..60"},
        BadField{R"({"id":"a","gop_seconds":-1})", "gop_seconds: must be 1..60"},
        BadField{R"({"id":"a","bitrate_kbps":true})", "bitrate_kbps: must be an integer"},
        BadField{R"({"id":"a","encoder":"h264"})", "encoder: must be x264 or openh264"},
        BadField{R"({"id":"a","encoder":1})", "encoder: must be a string"},
        BadField{R"({"id":"a","hardware":1})", "hardware: must be a boolean"},
        BadField{R"({"id":"a","max_in_flight":17})", "max_in_flight: must be 1..16"},
        BadField{R"({"id":"a","worker_heartbeat_timeout_ms":199})",
                 "worker_heartbeat_timeout_ms: must be 200..86400000"},
        BadField{R"({"id":"a","worker_first_frame_timeout_ms":0})",
                 "worker_first_frame_timeout_ms: must be 1..86400000"},
        BadField{R"({"id":"a","worker_frame_timeout_ms":86400001})",
                 "worker_frame_timeout_ms: must be 1..86400000"},
        BadField{R"({"id":"a","worker_frame_timeout_factor":1.5})",
                 "worker_frame_timeout_factor: must be an integer"},
        BadField{R"({"id":"a","worker_load_timeout_ms":"1"})",
                 "worker_load_timeout_ms: must be an integer"},
        BadField{R"({"id":"a","prompt_timeout_ms":0})", "prompt_timeout_ms: must be 1..86400000"},
        BadField{R"({"id":"a","audio":"loud"})", "audio: must be pass or none"},
        BadField{R"({"id":"a","audio_buffer_ms":99})", "audio_buffer_ms: must be 100..60000"},
        BadField{R"({"id":"a","on_missing":"maybe"})",
                 "on_missing: must be repeat, passthrough or gap"},
        BadField{R"({"id":"a","cadence":"fast"})", "cadence: must be steady, every or as-ready"},
        BadField{R"({"id":"a","latency_ms":0})", "latency_ms: must be 1..10000"},
        BadField{R"({"id":"a","subscribe_url":"file:///etc/passwd"})",
                 "subscribe_url: must begin with http(s):// or ws(s)://"},
        BadField{R"({"id":"a","publish_url":"http://"})", "publish_url: has no host"},
        BadField{R"({"id":"a","widht":512})", "widht: unknown field"}));

}  // namespace
}  // namespace framelock::stream
