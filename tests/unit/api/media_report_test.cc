// SPDX-License-Identifier: Apache-2.0
#include "api/media_report.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace framelock::api {
namespace {

using nlohmann::json;

MediaReport Told(const json& message) {
  MediaReport report;
  TakeMessage(message, SteadyTime{}, report);
  EXPECT_TRUE(report.last_heard);
  return report;
}

json Nested(std::size_t depth) {
  json value = json::object();
  for (std::size_t i = 0; i < depth; ++i) value = json::array({std::move(value)});
  return value;
}

json Refusal(json errors) {
  return {
      {"type", "prompt_result"}, {"request", 3}, {"applied", false}, {"errors", std::move(errors)}};
}

TEST(MediaReport, ARefusalHasTheWorkersWords) {
  const MediaReport report = Told(Refusal({{"4", {{"errors", json::array()}}}}));
  EXPECT_EQ(report.answered_request, 3u);
  EXPECT_FALSE(report.verdict.applied);
  EXPECT_EQ(report.verdict.errors_json, R"({"4":{"errors":[]}})");
  EXPECT_EQ(report.prompt_failure, "");
}

// They are written out by recursion.
TEST(MediaReport, WhatIsNestedWithoutEndIsNoMessage) {
  EXPECT_EQ(Told(Refusal(Nested(50))).answered_request, 3u);
  EXPECT_EQ(Told(Refusal(Nested(100))).answered_request, 0u);
  EXPECT_EQ(Told(Refusal(Nested(200'000))).answered_request, 0u);
}

TEST(MediaReport, FieldsOfAnotherTypeAreLeftOut) {
  EXPECT_EQ(Told({{"type", 7}}).started, false);
  EXPECT_EQ(Told(json::array({"started"})).started, false);
  EXPECT_EQ(Told({{"type", "prompt_result"}, {"request", -1}}).answered_request, 0u);
  EXPECT_FALSE(Told({{"type", "status"}, {"status", 1}}).status_time);
  json refusal = Refusal("busy");
  refusal["applied"] = "yes";
  EXPECT_FALSE(Told(refusal).verdict.applied);
}

}  // namespace
}  // namespace framelock::api
