// SPDX-License-Identifier: Apache-2.0
#include "pipeline/net/websocket_url.h"

#include <gtest/gtest.h>

namespace framelock::net {
namespace {

TEST(WebSocketUrl, TakesAddressesApart) {
  auto url = ParseWebSocketUrl("ws://relay.example:7000/ws/a%2Fb?publish=1");
  ASSERT_TRUE(url.ok());
  EXPECT_FALSE(url->tls);
  EXPECT_EQ(url->host, "relay.example");
  EXPECT_EQ(url->port, 7000);
  EXPECT_EQ(url->target, "/ws/a%2Fb?publish=1");
  EXPECT_EQ(url->authority, "relay.example:7000");

  url = ParseWebSocketUrl("wss://[::1]");
  ASSERT_TRUE(url.ok());
  EXPECT_TRUE(url->tls);
  EXPECT_EQ(url->host, "::1");
  EXPECT_EQ(url->port, 443);
  EXPECT_EQ(url->target, "/");
  EXPECT_EQ(url->authority, "[::1]");

  url = ParseWebSocketUrl("ws://h?x=1");
  ASSERT_TRUE(url.ok());
  EXPECT_EQ(url->target, "/?x=1");
  EXPECT_EQ(url->port, 80);

  url = ParseWebSocketUrl("WSS://Relay.example/X");
  ASSERT_TRUE(url.ok());
  EXPECT_TRUE(url->tls);
  EXPECT_EQ(url->target, "/X");
}

TEST(WebSocketUrl, RefusesWhatCannotBeAnAddress) {
  for (const char* bad :
       {"",           "ws://",           "ws:///path",    "http://h/",       "WS",
        "//h",        "ws://h:0/",       "ws://h:65536/", "ws://h:/",        "ws://h:1x/",
        "ws://[::1/", "ws://[::1]x/",    "ws://[]:1/",    "ws://u:p@h/",     "ws://h/#f",
        "ws://h/ b",  "ws://h/\r\nX: y", "ws://h/\x7f",   "ws://h/\xc3\xa4", "ws://h\\@g/",
        "ws://h/%zz"}) {
    const auto url = ParseWebSocketUrl(bad);
    ASSERT_FALSE(url.ok()) << bad;
    EXPECT_EQ(url.error().code, ErrorCode::kInvalidArgument) << bad;
    EXPECT_TRUE(url.error().message.starts_with("websocket url: ")) << url.error().message;
  }
  EXPECT_FALSE(ParseWebSocketUrl("ws://h/" + std::string(4096, 'a')).ok());
}

}  // namespace
}  // namespace framelock::net
