// SPDX-License-Identifier: Apache-2.0
#include "workers/graph/prompt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "workers/graph/convert_prompt.h"
#include "workers/graph/json.h"

namespace framelock::graph {
namespace {

using testing::HasSubstr;

std::string ParseError(const std::string& text, const PromptLimits& limits = {}) {
  const Result<Prompt> prompt = Prompt::Parse(text, limits);
  return prompt.ok() ? "" : prompt.error().message;
}

TEST(PromptTest, KeepsTheOrderAndWhatIsMissing) {
  const Result<Prompt> prompt = Prompt::Parse(
      R"({"9":{"class_type":"B","inputs":{"y":[ "1",0],"x":1},"_meta":{"title":"T"}},"1":{}})");
  ASSERT_TRUE(prompt.ok()) << prompt.error().message;
  ASSERT_EQ(prompt->nodes().size(), 2U);
  const PromptNode& first = prompt->nodes()[0];
  EXPECT_EQ(first.id, "9");
  EXPECT_TRUE(first.Is("B"));
  EXPECT_EQ(first.inputs->at(0).name, "y");
  EXPECT_EQ(first.FindInput("x")->value, 1);
  EXPECT_EQ(first.FindInput("z"), nullptr);
  EXPECT_EQ(*first.title, "T");
  EXPECT_FALSE(prompt->nodes()[1].class_type);
  EXPECT_FALSE(prompt->nodes()[1].inputs);
  EXPECT_EQ(prompt->Find("1"), 1U);
  EXPECT_EQ(prompt->Find("2"), std::nullopt);
}

TEST(PromptTest, NamesWhatIsWrong) {
  EXPECT_THAT(ParseError(""), HasSubstr("not valid JSON"));
  EXPECT_THAT(ParseError("{\"1\":"), HasSubstr("not valid JSON at byte"));
  EXPECT_THAT(ParseError("[]"), HasSubstr("must be an object of nodes"));
  EXPECT_THAT(ParseError("7"), HasSubstr("must be an object of nodes"));
  EXPECT_THAT(ParseError(R"({"1":"x"})"), HasSubstr("node '1': must be an object"));
  EXPECT_THAT(ParseError(R"({"1":{"class_type":[]}})"), HasSubstr("node '1': class_type"));
  EXPECT_THAT(ParseError(R"({"1":{},"1":{}})"), HasSubstr("the key '1' occurs twice"));
  EXPECT_THAT(ParseError(R"({"1":{"inputs":{"a":1,"a":2}}})"), HasSubstr("the key 'a'"));
  EXPECT_THAT(ParseError(R"({"nodes":[{"id":1}],"links":[]})"), HasSubstr("API format"));
  EXPECT_THAT(ParseError(R"({"1":{"inputs":{"a":NaN}}})"), HasSubstr("not valid JSON"));
}

TEST(PromptTest, HoldsItsBounds) {
  EXPECT_THAT(ParseError("{}         ", {.max_bytes = 10}), HasSubstr("longer than 10 bytes"));
  EXPECT_THAT(ParseError(R"({"1":{"inputs":{"a":[[1]]}}})", {.max_depth = 4}),
              HasSubstr("deeper than 4"));
  EXPECT_THAT(ParseError(R"({"123":{}})", {.max_id_bytes = 2}), HasSubstr("3 bytes"));
  EXPECT_THAT(ParseError(R"({"1":{},"2":{},"3":{}})", {.max_nodes = 2}),
              HasSubstr("more than 2 members"));
  EXPECT_THAT(ParseError(R"({"1":{"a":1,"b":2}})", {.max_members = 1}),
              HasSubstr("more than 1 members"));
  EXPECT_THAT(ParseError(R"({"1":[1,2,3]})", {.max_array_items = 2}),
              HasSubstr("more than 2 items"));
  EXPECT_THAT(ParseError(std::string(100'000, '[')), HasSubstr("deeper than 64"));
}

TEST(JsonTest, NonFiniteNumbersGoInAndOutOnRequest) {
  const Result<Json> value = ParseJson(
      R"({"a":NaN,"b":[-Infinity, Infinity],"c":"NaN \" NaN","d":{"__nonfinite__":"nan"}})", {},
      NonFinite::kAccept);
  ASSERT_TRUE(value.ok()) << value.error().message;
  EXPECT_TRUE(std::isnan((*value)["a"].get<double>()));
  EXPECT_EQ((*value)["b"][0].get<double>(), -INFINITY);
  EXPECT_EQ((*value)["c"], "NaN \" NaN");
  EXPECT_TRUE(std::isnan((*value)["d"].get<double>()));
  EXPECT_EQ(DumpJson((*value)["b"]), R"([{"__nonfinite__":"-inf"},{"__nonfinite__":"inf"}])");
}

TEST(JsonTest, DumpReplacesInvalidText) { EXPECT_EQ(DumpJson(Json("a\xff")), "\"a\xEF\xBF\xBD\""); }

std::string Convert(const std::string& text) {
  Result<Prompt> prompt = Prompt::Parse(text);
  EXPECT_TRUE(prompt.ok());
  const Status converted = ConvertPrompt(*prompt);
  if (!converted.ok()) {
    return converted.error().message;
  }
  std::string classes;
  for (const PromptNode& node : prompt->nodes()) {
    classes += node.id + "=" + node.class_type->get<std::string>() + "(";
    for (const PromptNode::Input& input : node.inputs.value_or(std::vector<PromptNode::Input>())) {
      classes += input.name + " ";
    }
    classes += ") ";
  }
  return classes;
}

TEST(ConvertPromptTest, RefusesInTheOrderAndWordsOfTheOriginal) {
  const std::string primary = R"("class_type":"PrimaryInputLoadImage")";
  EXPECT_EQ(Convert("{\"1\":{" + primary + "},\"2\":{" + primary + "}}"),
            "too many primary inputs in prompt");
  EXPECT_EQ(Convert(R"({"1":{"class_type":"LoadImage"},"2":{"class_type":"LoadTensor"}})"),
            "too many inputs in prompt");
  EXPECT_EQ(Convert(R"({"1":{"class_type":"SaveImage"},"2":{"class_type":"PreviewImage"}})"),
            "too many outputs in prompt");
  EXPECT_EQ(Convert(R"({"1":{"class_type":"SaveTensor"}})"), "missing input");
  EXPECT_EQ(Convert(R"({"1":{"class_type":"LoadTensor"}})"), "missing output");
  EXPECT_EQ(Convert("{}"), "missing input");
}

TEST(ConvertPromptTest, TurnsTheOnlyPictureIntoTheStream) {
  EXPECT_EQ(Convert(R"({"1":{"class_type":"LoadImage","inputs":{"image":"a.png"}},
                        "2":{"class_type":"SaveImage","inputs":{"images":["1",0],"filename_prefix":"x"}}})"),
            "1=LoadTensor() 2=SaveTensor(images ) ");
}

TEST(ConvertPromptTest, KeepsOtherPicturesBesideAPrimaryInput) {
  EXPECT_EQ(Convert(R"({"1":{"class_type":"PrimaryInputLoadImage","inputs":{"image":"a"}},
                        "2":{"class_type":"LoadImage","inputs":{"image":"b"}},
                        "3":{"class_type":"LoadImage","inputs":{"image":"c"}},
                        "4":{"class_type":"PreviewImage","inputs":{"images":["1",0]}}})"),
            "1=LoadTensor() 2=LoadImage(image ) 3=LoadImage(image ) 4=SaveTensor(images ) ");
}

}  // namespace
}  // namespace framelock::graph
