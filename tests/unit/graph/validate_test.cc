// SPDX-License-Identifier: Apache-2.0
#include "workers/graph/validate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "test_nodes.h"
#include "workers/graph/validate_input.h"

namespace framelock::graph {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class ValidateTest : public testing::Test {
 protected:
  Verdict Judge(const std::string& text) {
    Result<Prompt> prompt = Prompt::Parse(text);
    EXPECT_TRUE(prompt.ok()) << prompt.error().message;
    prompt_ = std::move(*prompt);
    return Validate(registry_, prompt_);
  }
  Json ErrorOf(const std::string& literal) {
    const Verdict verdict = Judge(R"({"1":{"class_type":"Constant","inputs":{"value":)" + literal +
                                  R"(}},"2":{"class_type":"Sink","inputs":{"images":["1",0]}}})");
    return verdict.valid ? Json() : verdict.node_errors["1"]["errors"][0];
  }

  std::vector<std::string> log_;
  NodeRegistry registry_ = TestNodes(log_);
  Prompt prompt_;
};

TEST_F(ValidateTest, BoundsAreInclusiveAndLiteralsConverted) {
  EXPECT_TRUE(ErrorOf("0").is_null());
  EXPECT_TRUE(ErrorOf("\" 1_00 \"").is_null());
  EXPECT_EQ(prompt_.nodes()[0].inputs->at(0).value, 100);
  EXPECT_EQ(ErrorOf("101")["message"], "Value 101 bigger than max of 100");
  EXPECT_EQ(ErrorOf("-1")["message"], "Value -1 smaller than min of 0");
  EXPECT_EQ(ErrorOf("18446744073709551615")["type"], "value_bigger_than_max");
  EXPECT_EQ(ErrorOf("-9223372036854775808")["type"], "value_smaller_than_min");
  EXPECT_EQ(ErrorOf("1e300")["type"], "value_bigger_than_max");
  EXPECT_EQ(ErrorOf("{\"__value__\":7}"), Json());
  EXPECT_EQ(ErrorOf("{\"__value__\":[1,2]}")["type"], "invalid_input_type");
}

TEST_F(ValidateTest, OneGoodOutputIsEnough) {
  const Verdict verdict = Judge(R"({
    "1":{"class_type":"Source","inputs":{}},
    "2":{"class_type":"Sink","inputs":{"images":["1",0]}},
    "3":{"class_type":"Add","inputs":{"image":["1",0],"amount":1000}},
    "4":{"class_type":"Sink","inputs":{"images":["3",0]}},
    "5":{"class_type":"Sink","inputs":{"images":["3",0]}},
    "6":{"class_type":"Sink","inputs":{}}})");
  EXPECT_TRUE(verdict.valid);
  EXPECT_TRUE(verdict.error.is_null());
  EXPECT_THAT(verdict.good_outputs, ElementsAre("2"));
  EXPECT_EQ(verdict.node_errors["3"]["dependent_outputs"], Json::array({"4", "5"}));
  EXPECT_EQ(verdict.node_errors["6"]["dependent_outputs"], Json::array({"6"}));
  EXPECT_EQ(verdict.node_errors.size(), 2U);
}

// Nobody looks at what no output needs.
TEST_F(ValidateTest, WhatIsNoNodeMattersOnlyWhereItIsReached) {
  const auto judge = [&](const char* inputs, const char* sink) {
    return Judge(std::string(R"({"1":{"class_type":"Source","inputs":[]},
        "2":{"class_type":"Add","inputs":)") +
                 inputs + R"(},"3":{"class_type":"Sink","inputs":{"images":[")" + sink +
                 "\",0]}}}");
  };
  for (const char* inputs : {"null", "[]", "7", "\"x\""}) {
    EXPECT_TRUE(judge(inputs, "1").valid) << inputs;
  }
  EXPECT_EQ(judge("\"x\"", "2").node_errors["2"]["errors"][0]["type"], "required_input_missing");
  EXPECT_EQ(judge("[]", "2").node_errors["2"]["errors"][0]["type"], "required_input_missing");
  const Json raised = judge("null", "2").node_errors["2"]["errors"][0];
  EXPECT_EQ(raised["details"], "argument of type 'NoneType' is not iterable");
  const Verdict number = Judge(R"({"1":{"class_type":5,"inputs":{}}})");
  EXPECT_EQ(number.error["type"], "missing_node_type");
  EXPECT_EQ(number.error["extra_info"]["class_type"], 5);
}

TEST_F(ValidateTest, TheFirstExceptionNamesTheWholeFailure) {
  const Verdict verdict = Judge(R"({"1":{"class_type":"Source","inputs":{}},
      "2":{"class_type":"Sink","inputs":{"images":["404",0]}},
      "3":{"class_type":"Sink","inputs":{"images":["1",9]}}})");
  EXPECT_EQ(verdict.error["extra_info"]["exception_type"], "KeyError");
}

TEST_F(ValidateTest, ExceptionsAreFiledOneLevelUp) {
  const Verdict verdict = Judge(R"({
    "1":{"class_type":"Add","inputs":{"image":["nowhere",0],"amount":1000}},
    "2":{"class_type":"Add","inputs":{"image":["1",0],"amount":1}},
    "3":{"class_type":"Sink","inputs":{"images":["2",0]}}})");
  EXPECT_FALSE(verdict.valid);
  EXPECT_EQ(verdict.node_errors.size(), 1U);
  const Json& error = verdict.node_errors["1"]["errors"][0];
  EXPECT_EQ(error["type"], "exception_during_inner_validation");
  EXPECT_EQ(error["details"], "'nowhere'");
  EXPECT_EQ(error["extra_info"]["input_name"], "image");
  EXPECT_EQ(error["extra_info"]["linked_node"], Json::array({"1", 0}));
}

TEST_F(ValidateTest, SlotsFollowPython) {
  const auto type = [&](const std::string& slot) {
    const Verdict verdict = Judge(R"({"1":{"class_type":"Source","inputs":{}},
      "2":{"class_type":"Sink","inputs":{"images":["1",)" +
                                  slot + "]}}}");
    return verdict.valid ? ""
                         : verdict.node_errors["2"]["errors"][0]["extra_info"]["exception_type"];
  };
  EXPECT_EQ(type("0"), "");
  EXPECT_EQ(type("-1"), "");
  EXPECT_EQ(type("false"), "");
  EXPECT_EQ(type("true"), "IndexError");
  EXPECT_EQ(type("-2"), "IndexError");
  EXPECT_EQ(type("18446744073709551615"), "IndexError");
  EXPECT_EQ(type("null"), "TypeError");
}

TEST_F(ValidateTest, CyclesEndQuietlyAndAreNoted) {
  const Verdict verdict = Judge(R"({
    "1":{"class_type":"Add","inputs":{"image":["2",0],"amount":1}},
    "2":{"class_type":"Add","inputs":{"image":["1",0],"amount":1}},
    "3":{"class_type":"Sink","inputs":{"images":["2",0]}},
    "4":{"class_type":"Source","inputs":{}},
    "5":{"class_type":"Sink","inputs":{"images":["4",0]}}})");
  EXPECT_TRUE(verdict.valid);
  EXPECT_THAT(verdict.good_outputs, ElementsAre("5"));
  EXPECT_THAT(verdict.cycle, ElementsAre("2", "1"));
  EXPECT_THAT(verdict.node_errors, IsEmpty());
}

TEST_F(ValidateTest, ANodeMayLinkToItself) {
  const Verdict verdict = Judge(R"({
    "1":{"class_type":"Join","inputs":{"a":["1",0],"b":["1",0]}},
    "3":{"class_type":"Sink","inputs":{"images":["1",0]}}})");
  EXPECT_FALSE(verdict.valid);
  EXPECT_EQ(verdict.error["details"], "");
  EXPECT_THAT(verdict.cycle, ElementsAre("1"));
}

// What passes here is taken for a link, and nobody would have followed it.
TEST_F(ValidateTest, NoLinkHidesInALiteral) {
  for (const char* link : {R"(["1",0])", R"(["2",0])", "[]", R"(["nobody",0])"}) {
    std::string prompt = R"({"1":{"class_type":"Source","inputs":{}},
        "2":{"class_type":"Sink","inputs":{"images":{"__value__":)";
    const Verdict verdict = Judge(prompt.append(link).append("}}}}"));
    EXPECT_FALSE(verdict.valid) << link;
    EXPECT_EQ(verdict.node_errors["2"]["errors"][0]["type"], "invalid_input_type") << link;
  }
}

TEST_F(ValidateTest, ALongChainDoesNotOverflow) {
  std::string text = R"({"0":{"class_type":"Source","inputs":{}},)";
  for (int i = 1; i < 4000; ++i) {
    text += "\"" + std::to_string(i) + R"(":{"class_type":"Add","inputs":{"amount":1,"image":[")" +
            std::to_string(i - 1) + "\",0]}},";
  }
  EXPECT_TRUE(Judge(text + R"("x":{"class_type":"Sink","inputs":{"images":["3999",0]}}})").valid);
}

// Each of 2700 bad nodes depends on each other one, and each of 1300 outputs on all of them.
TEST_F(ValidateTest, AVerdictStaysSmallHoweverMuchIsWrong) {
  std::string text = R"({"0":{"class_type":"Source","inputs":{}},)";
  for (int i = 1; i <= 2700; ++i) {
    text += "\"" + std::to_string(i) +
            R"(":{"class_type":"Add","inputs":{"amount":1000,"image":[")" + std::to_string(i - 1) +
            "\",0]}},";
  }
  for (int i = 0; i < 1300; ++i) {
    text +=
        "\"s" + std::to_string(i) + R"(":{"class_type":"Sink","inputs":{"images":["2700",0]}},)";
  }
  text.back() = '}';
  const Verdict verdict = Judge(text);
  EXPECT_FALSE(verdict.valid);
  EXPECT_EQ(verdict.node_errors.size(), 1000U);
  std::size_t dependents = 0;
  for (const auto& [id, error] : verdict.node_errors.items()) {
    dependents += error["dependent_outputs"].size();
    EXPECT_EQ(error["errors"][0]["type"], "value_bigger_than_max") << id;
  }
  EXPECT_GT(dependents, 1000U);
  EXPECT_LE(dependents, 11'000U);
}

TEST(TypesMatchTest, ComparesAsSets) {
  InputSpec input = ImageInput("x");
  EXPECT_TRUE(TypesMatch("IMAGE", input, SchemaStyle::kSchema));
  EXPECT_TRUE(TypesMatch("*", input, SchemaStyle::kSchema));
  EXPECT_TRUE(TypesMatch("MASK, IMAGE", input, SchemaStyle::kSchema));
  EXPECT_FALSE(TypesMatch("MASK", input, SchemaStyle::kSchema));
  input.type = "IMAGE,MASK";
  EXPECT_TRUE(TypesMatch("MASK", input, SchemaStyle::kSchema));
  const InputSpec choice = ChoiceInput("x", {"a"});
  EXPECT_TRUE(TypesMatch("COMBO", choice, SchemaStyle::kSchema));
  EXPECT_TRUE(TypesMatch("*", choice, SchemaStyle::kClassic));
  EXPECT_FALSE(TypesMatch("*,IMAGE", choice, SchemaStyle::kClassic));
  EXPECT_FALSE(TypesMatch("COMBO", choice, SchemaStyle::kClassic));
  EXPECT_TRUE(TypesMatch("COMFY_MATCHTYPE_V3", choice, SchemaStyle::kClassic));
}

TEST(CheckLiteralTest, ChoicesAreComparedAsPaths) {
  const InputSpec spec = ChoiceInput("pick", {"none", "a/b"});
  for (const char* text : {"none\\", ".\\none", ".\\\\none", "a\\b", "a\\\\b", "a\\./b"}) {
    Json value = text;
    EXPECT_FALSE(CheckLiteral({.name = "pick", .spec = &spec}, SchemaStyle::kClassic, value))
        << text;
  }
  for (const char* text : {"/none", "", ".", "none/", "./none", "a//b", "\\none", "a\\../none"}) {
    Json value = text;
    EXPECT_TRUE(CheckLiteral({.name = "pick", .spec = &spec}, SchemaStyle::kClassic, value))
        << text;
  }
}

TEST(CheckLiteralTest, ManyChoicesAreCountedNotListed) {
  std::vector<std::string> names;
  for (int i = 0; i < 21; ++i) {
    names.push_back(std::to_string(i));
  }
  Json value = "x";
  const InputSpec spec = ChoiceInput("pick", names);
  const auto error = CheckLiteral({.name = "pick", .spec = &spec}, SchemaStyle::kClassic, value);
  ASSERT_TRUE(error);
  EXPECT_EQ((*error)["details"], "pick: 'x' not in (list of length 21)");
  EXPECT_TRUE((*error)["extra_info"]["input_config"].is_null());
}

TEST_F(ValidateTest, TheFirstGrownInputsAreRequired) {
  const Verdict verdict = Judge(R"({
    "1":{"class_type":"Source","inputs":{}},
    "2":{"class_type":"Sum","inputs":{"images.image0":["1",0],"images.image3":["1",0]}},
    "3":{"class_type":"Sink","inputs":{"images":["2",0]}}})");
  ASSERT_FALSE(verdict.valid);
  const Json& errors = verdict.node_errors["2"]["errors"];
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_EQ(errors[0]["type"], "required_input_missing");
  EXPECT_EQ(errors[0]["details"], "image1");
  EXPECT_EQ(errors[0]["extra_info"], Json({{"input_name", "images.image1"}}));
}

TEST_F(ValidateTest, OnlyTheInputsOfTheChosenBranchCount) {
  const auto errors_of = [&](const std::string& inputs) {
    const Verdict verdict = Judge(R"({"2":{"class_type":"Shift","inputs":{)" + inputs +
                                  R"(}},"3":{"class_type":"Sink","inputs":{"images":["2",0]}}})");
    return verdict.valid ? Json::array() : verdict.node_errors["2"]["errors"];
  };
  EXPECT_EQ(errors_of(R"("by":"little","by.steps":"4","by.image":["nowhere",0])"), Json::array());
  EXPECT_EQ(prompt_.nodes()[0].inputs->at(1).value, 4);
  EXPECT_EQ(errors_of(R"("by":"sideways","by.steps":"x")"), Json::array());
  EXPECT_EQ(errors_of(""), Json::array());
  const Json big = errors_of(R"("by":"little","by.steps":101)");
  ASSERT_EQ(big.size(), 1U);
  EXPECT_EQ(big[0]["details"], "by.steps");
  EXPECT_EQ(big[0]["extra_info"]["input_name"], "by.steps");
  const Json missing = errors_of(R"("by":"much","by.steps":1)");
  ASSERT_EQ(missing.size(), 1U);
  EXPECT_EQ(missing[0]["details"], "image");
}

}  // namespace
}  // namespace framelock::graph
