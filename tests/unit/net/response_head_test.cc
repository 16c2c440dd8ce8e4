// SPDX-License-Identifier: Apache-2.0
#include "pipeline/net/response_head.h"

#include <gmock/gmock.h>

namespace framelock::net {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST(FormatResponseHead, WritesWhatItIsGiven) {
  const HttpHeader header{"Lp-Trickle-Seq", "7"};
  const auto head =
      FormatResponseHead(200, "", std::span(&header, 1), {.content_length = 5, .close = true});
  ASSERT_TRUE(head.ok());
  EXPECT_THAT(*head, StartsWith("HTTP/1.1 200 OK\r\nLp-Trickle-Seq: 7\r\n"));
  EXPECT_THAT(*head, HasSubstr("Content-Length: 5\r\n"));
  EXPECT_THAT(*head, HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(*head, Not(HasSubstr("Transfer-Encoding")));
  EXPECT_THAT(*head, EndsWith("\r\n\r\n"));
  EXPECT_THAT(*FormatResponseHead(470, "Gone by", {}, {}), StartsWith("HTTP/1.1 470 Gone by\r\n"));
  EXPECT_THAT(*FormatResponseHead(470, "", {}, {}), StartsWith("HTTP/1.1 470 Unknown\r\n"));
}

TEST(FormatResponseHead, RefusesWhatWouldBreakTheFraming) {
  const HttpHeader bad[] = {{"", "x"},
                            {"X", "a\r\nb"},
                            {"X\n", "a"},
                            {"X", std::string("a\0b", 3)},
                            {"content-length", "3"},
                            {"Transfer-Encoding", "chunked"},
                            {"Connection", "close"}};
  for (const HttpHeader& header : bad) {
    EXPECT_FALSE(FormatResponseHead(200, "", std::span(&header, 1), {}).ok()) << header.first;
  }
  EXPECT_FALSE(FormatResponseHead(100, "", {}, {}).ok());
  EXPECT_FALSE(FormatResponseHead(200, "O\r\nK", {}, {}).ok());
}

}  // namespace
}  // namespace framelock::net
