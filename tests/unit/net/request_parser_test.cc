// SPDX-License-Identifier: Apache-2.0
#include "pipeline/net/request_parser.h"

#include <gtest/gtest.h>

#include <array>

namespace framelock::net {
namespace {

std::span<const std::byte> Bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

// What a whole byte stream, fed so many bytes at a time, comes to.
struct Outcome {
  HttpRequest request;
  std::string body;
  std::optional<RequestRejection> rejection;
  bool broken = false;
  bool done = false;
  std::size_t left = 0;  // bytes behind the request
};

Outcome Parse(std::string_view stream, std::size_t step, std::size_t window = 7) {
  RequestParser parser(8192);
  Outcome outcome;
  std::string buffer;
  std::vector<std::byte> output(window);
  std::size_t at = 0;
  while (!outcome.done) {
    const std::size_t size = std::min(step, stream.size() - at);
    if (size == 0) break;
    buffer += stream.substr(at, size);
    at += size;
    if (!parser.head_done()) {
      buffer.erase(0, parser.FeedHead(Bytes(buffer)).consumed);
      outcome.rejection = parser.rejection();
      if (outcome.rejection) return outcome;
      if (!parser.head_done()) continue;
      outcome.request = parser.TakeRequest();
    }
    for (;;) {
      const auto fed = parser.FeedBody(Bytes(buffer), output);
      if (!fed.ok()) {
        outcome.broken = true;
        return outcome;
      }
      outcome.body.append(reinterpret_cast<const char*>(output.data()), fed->produced);
      buffer.erase(0, fed->consumed);
      if (fed->consumed == 0 && fed->produced == 0) break;
    }
    outcome.done = parser.body_done();
  }
  outcome.left = buffer.size() + stream.size() - at;
  return outcome;
}

TEST(RequestParser, SameOutcomeHoweverTheBytesCome) {
  const std::string_view stream =
      "POST /a?b=c HTTP/1.1\r\nHost: t\r\nX-Empty:\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5;ext=\"v\"\r\nhello\r\n10\r\n0123456789abcdef\r\n0\r\nTrailer: x\r\n\r\nNEXT";
  for (std::size_t step = 1; step <= stream.size(); ++step) {
    for (const std::size_t window : {1u, 3u, 4096u}) {
      const Outcome outcome = Parse(stream, step, window);
      ASSERT_TRUE(outcome.done) << step;
      EXPECT_EQ(outcome.request.method, "POST");
      EXPECT_EQ(outcome.request.path, "/a");
      EXPECT_EQ(outcome.request.query, "b=c");
      EXPECT_EQ(outcome.request.Header("x-empty"), "");
      EXPECT_EQ(outcome.request.Header("Trailer"), std::nullopt);
      EXPECT_EQ(outcome.body, "hello0123456789abcdef");
      EXPECT_EQ(outcome.left, 4u);
    }
  }
}

TEST(RequestParser, ContentLengthBodyEndsWhereItShould) {
  const Outcome outcome =
      Parse("PUT / HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\n\r\nbodyNEXT", 3);
  EXPECT_TRUE(outcome.done);
  EXPECT_EQ(outcome.body, "body");
  EXPECT_EQ(outcome.left, 4u);
}

TEST(RequestParser, TakesTheAbsoluteForm) {
  EXPECT_EQ(Parse("GET http://h:1/p?q HTTP/1.1\r\nHost: h\r\n\r\n", 9).request.path, "/p");
  EXPECT_EQ(Parse("GET HTTP://h HTTP/1.1\r\nHost: h\r\n\r\n", 9).request.path, "/");
  EXPECT_EQ(Parse("GET //ch/0 HTTP/1.1\r\nHost: h\r\n\r\n", 9).request.path, "//ch/0");
}

TEST(RequestParser, HeadLimitIsItsOwnStatus) {
  const std::string long_head = "GET / HTTP/1.1\r\nHost: t\r\nX: " + std::string(9000, 'x');
  EXPECT_EQ(Parse(long_head, 100).rejection->status, 431u);
  EXPECT_EQ(Parse("GET /" + std::string(9000, 'x'), 100).rejection->status, 431u);
}

TEST(RequestParser, BrokenChunksAreSeenAtAnyStep) {
  const std::string head = "POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const char* body :
       {"zz\r\n", "5\r\nhelloXX0\r\n", "-5\r\n", "10000000000000000\r\n", "\r\n"}) {
    for (std::size_t step = 1; step < 8; ++step) {
      EXPECT_TRUE(Parse(head + body, step).broken) << body << " step " << step;
    }
  }
}

TEST(PercentDecode, DecodesOrRefuses) {
  EXPECT_EQ(PercentDecode("a%2Fb%c3%A9+").value(), "a/b\xC3\xA9+");
  EXPECT_EQ(PercentDecode("").value(), "");
  for (const char* text : {"%", "%2", "a%zz", "%00", "%%20"}) {
    EXPECT_FALSE(PercentDecode(text).ok()) << text;
  }
}

TEST(ListHasToken, MatchesWholeTokens) {
  EXPECT_TRUE(ListHasToken("keep-alive, Upgrade", "upgrade"));
  EXPECT_TRUE(ListHasToken(" UPGRADE ", "upgrade"));
  for (const char* list : {"", ",", "upgraded", "up grade", "x-upgrade,keep"}) {
    EXPECT_FALSE(ListHasToken(list, "upgrade")) << list;
  }
}

}  // namespace
}  // namespace framelock::net
