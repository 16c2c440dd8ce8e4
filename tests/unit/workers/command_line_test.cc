// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "workers/host/worker_process.h"

namespace framelock::host {
namespace {

using testing::ElementsAre;

TEST(SplitCommandLine, SplitsAsAShellDoes) {
  EXPECT_THAT(*SplitCommandLine("worker --fault-nodes"), ElementsAre("worker", "--fault-nodes"));
  EXPECT_THAT(*SplitCommandLine("  a \t b\n"), ElementsAre("a", "b"));
  EXPECT_THAT(*SplitCommandLine(R"('one word' "and another" plain)"),
              ElementsAre("one word", "and another", "plain"));
  EXPECT_THAT(*SplitCommandLine(R"(a\ b "q\"q" "b\\b" "n\n" '\')"),
              ElementsAre("a b", "q\"q", "b\\b", "n\\n", "\\"));
  EXPECT_THAT(*SplitCommandLine(R"(x='' '' "")"), ElementsAre("x=", "", ""));
  EXPECT_THAT(*SplitCommandLine(R"($HOME * ~)"), ElementsAre("$HOME", "*", "~"));
}

TEST(SplitCommandLine, AnUnfinishedOrEmptyOneIsRefused) {
  for (const auto* text : {"", "   ", "a 'b", "a \"b", "a\\", "\"a\\"}) {
    const auto words = SplitCommandLine(text);
    ASSERT_FALSE(words) << text;
    EXPECT_EQ(words.error().code, ErrorCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace framelock::host
