// SPDX-License-Identifier: Apache-2.0
#include "pipeline/process/line_tail.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace framelock::process {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(LineTail, LinesAreCutWhereverTheBytesAreSplit) {
  const std::string text = "one\ntwo\r\n\nfour\n";
  for (std::size_t split = 0; split <= text.size(); ++split) {
    LineTail tail(10, 100);
    std::vector<std::string> seen;
    const auto keep = [&seen](const std::string& line) { seen.push_back(line); };
    tail.Feed(std::string_view(text).substr(0, split), keep);
    tail.Feed(std::string_view(text).substr(split), keep);
    EXPECT_THAT(seen, ElementsAre("one", "two", "", "four")) << split;
    EXPECT_EQ(tail.lines(), seen);
  }
}

TEST(LineTail, KeepsOnlyTheLastLines) {
  LineTail tail(2, 100);
  tail.Feed("1\n2\n3\n4\n", {});
  EXPECT_THAT(tail.lines(), ElementsAre("3", "4"));
}

TEST(LineTail, ALongLineIsCutAndTheNextOneIsWhole) {
  LineTail tail(10, 4);
  for (int i = 0; i < 1000; ++i) tail.Feed("abc", {});
  EXPECT_THAT(tail.lines(), IsEmpty());
  tail.Feed("\nnext\n", {});
  EXPECT_THAT(tail.lines(), ElementsAre("abca", "next"));
}

TEST(LineTail, AnUnfinishedLineCountsAtTheEnd) {
  LineTail tail(10, 100);
  tail.Feed("done\nhalf", {});
  tail.Finish({});
  tail.Finish({});
  EXPECT_THAT(tail.lines(), ElementsAre("done", "half"));
}

}  // namespace
}  // namespace framelock::process
