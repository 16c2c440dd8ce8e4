// SPDX-License-Identifier: Apache-2.0
#include "workers/main/arguments.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "workers/main/offline_files.h"

namespace framelock::worker {
namespace {

Result<Arguments> Parse(const std::vector<const char*>& words) {
  return Arguments::Parse(
      words, {.flags = {"--flag"}, .values = {"--name", "--other"}, .lists = {"--list"}});
}

std::string ErrorOf(const std::vector<const char*>& words) {
  const Result<Arguments> arguments = Parse(words);
  return arguments.ok() ? "" : arguments.error().message;
}

TEST(ArgumentsTest, TakesBothSpellings) {
  const Result<Arguments> arguments = Parse({"--name", "-1", "--flag", "--other=a=b"});
  ASSERT_TRUE(arguments.ok());
  EXPECT_TRUE(arguments->Has("--flag"));
  EXPECT_EQ(arguments->Find("--other"), "a=b");
  EXPECT_EQ(*arguments->FindNumber("--name"), -1);
  EXPECT_FALSE(arguments->FindNumber("--other").ok());
  EXPECT_EQ(*Parse({})->FindNumber("--name"), std::nullopt);
}

TEST(ArgumentsTest, AListTakesEachInTheOrderGiven) {
  const Result<Arguments> arguments = Parse({"--list", "b", "--name=n", "--list=a"});
  ASSERT_TRUE(arguments.ok());
  EXPECT_EQ(arguments->FindAll("--list"), (std::vector<std::string>{"b", "a"}));
  EXPECT_TRUE(Parse({})->FindAll("--list").empty());
  EXPECT_EQ(ErrorOf({"--list"}), "--list needs a value");
}

TEST(ArgumentsTest, NamesTheWordThatIsWrong) {
  EXPECT_EQ(ErrorOf({"x"}), "unknown argument 'x'");
  EXPECT_EQ(ErrorOf({"--flag=1"}), "unknown argument '--flag=1'");
  EXPECT_EQ(ErrorOf({"--name"}), "--name needs a value");
  EXPECT_EQ(ErrorOf({"--flag", "--flag"}), "--flag is given twice");
  EXPECT_EQ(ErrorOf({"--name=1", "--name", "2"}), "--name is given twice");
}

TEST(ParseShapeTest, TakesFourSides) {
  const Result<graph::TensorShape> shape = ParseShape("1,24,32,3");
  ASSERT_TRUE(shape.ok());
  EXPECT_EQ(*shape, (graph::TensorShape{1, 24, 32, 3}));
  for (const char* text : {"", "1,2,3", "1,2,3,4,5", "1,0,3,4", "1,-2,3,4", "1,2,3,", "1,2,3,4 "}) {
    EXPECT_FALSE(ParseShape(text).ok()) << text;
  }
}

}  // namespace
}  // namespace framelock::worker
