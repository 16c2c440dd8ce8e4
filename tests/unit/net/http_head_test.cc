// SPDX-License-Identifier: Apache-2.0
#include "pipeline/net/http_head.h"

#include <gtest/gtest.h>

namespace framelock::net {
namespace {

TEST(HttpHeadParser, MakesAHeadOfLines) {
  HttpHeadParser parser;
  EXPECT_FALSE(parser.Feed("HTTP/1.1 470 status code 470\r\n"));
  EXPECT_FALSE(parser.Feed("Lp-Trickle-Seq:  7 \r\n"));
  EXPECT_FALSE(parser.Feed("Empty:\r\n"));
  EXPECT_FALSE(parser.Feed("no colon\r\n"));
  EXPECT_TRUE(parser.Feed("\r\n"));
  EXPECT_TRUE(parser.complete());
  EXPECT_EQ(parser.head().status, 470u);
  EXPECT_EQ(parser.head().Header("LP-TRICKLE-SEQ"), "7");
  EXPECT_EQ(parser.head().Header("empty"), "");
  EXPECT_EQ(parser.head().Header("absent"), std::nullopt);
}

TEST(HttpHeadParser, ForgetsInterimAnswersAndIgnoresTrailers) {
  HttpHeadParser parser;
  for (int i = 0; i < 1000; ++i) {
    EXPECT_FALSE(parser.Feed("HTTP/1.1 100 Continue"));
    EXPECT_FALSE(parser.Feed("Seq: 1"));
    EXPECT_FALSE(parser.Feed(""));
  }
  parser.Feed("HTTP/1.1 200 OK");
  parser.Feed("Seq: 2");
  EXPECT_TRUE(parser.Feed(""));
  EXPECT_FALSE(parser.Feed("Seq: 3"));
  EXPECT_FALSE(parser.Feed(""));
  ASSERT_EQ(parser.head().headers.size(), 1u);
  EXPECT_EQ(parser.head().Header("seq"), "2");
}

TEST(HttpHeadParser, KeepsABoundedNumberOfHeaders) {
  HttpHeadParser parser;
  parser.Feed("HTTP/1.1 200 OK");
  for (int i = 0; i < 1000; ++i) parser.Feed("A: b");
  parser.Feed("");
  EXPECT_EQ(parser.head().headers.size(), HttpHeadParser::kMaxHeaders);
}

TEST(HttpHeadParser, DoesNotCompleteWithoutAStatus) {
  for (const char* line : {"HTTP/1.1", "HTTP/1.1 ", "HTTP/1.1 abc", "HTTP/1.1 99999", "A: b"}) {
    HttpHeadParser parser;
    parser.Feed(line);
    EXPECT_FALSE(parser.Feed("\r\n")) << line;
  }
}

}  // namespace
}  // namespace framelock::net
