// SPDX-License-Identifier: Apache-2.0
#include "api/text_feed.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace framelock::api {
namespace {

using nlohmann::json;

json Text(unsigned sequence, json text = "a") {
  return {{"type", "text"}, {"sequence", sequence}, {"pts", 3000U}, {"text", std::move(text)}};
}

TEST(TextFeed, GivesEachReaderEveryEventOnce) {
  TextFeed feed(8);
  TextFeed::Position early = feed.End();
  feed.Take(Text(1, "one\ntwo"));
  TextFeed::Position late = feed.End();
  feed.Take(Text(2));
  const std::string first = "id: 1\ndata: {\"pts\":3000,\"sequence\":1,\"text\":\"one\\ntwo\"}\n\n";
  const std::string second = "id: 2\ndata: {\"pts\":3000,\"sequence\":2,\"text\":\"a\"}\n\n";
  EXPECT_EQ(feed.Read(early), first + second);
  EXPECT_EQ(feed.Read(early), "");
  EXPECT_EQ(feed.Read(late), second);
}

TEST(TextFeed, ASlowReaderMissesTheOldestAndIsTold) {
  TextFeed feed(2);
  TextFeed::Position slow = feed.End();
  for (unsigned i = 1; i <= 5; ++i) feed.Take(Text(i));
  const std::string events = feed.Read(slow);
  EXPECT_TRUE(events.starts_with(": 3 missed\n\nid: 4\n")) << events;
  EXPECT_EQ(slow, feed.End());
}

TEST(TextFeed, KeepsNoMoreBytesThanItMay) {
  TextFeed feed(4096);
  TextFeed::Position slow = feed.End();
  for (unsigned i = 1; i <= 300; ++i) feed.Take(Text(i, std::string(60'000, 'x')));
  EXPECT_EQ(feed.End(), 300U);
  const std::string events = feed.Read(slow);
  EXPECT_TRUE(events.starts_with(": 161 missed\n\nid: 162\n")) << events.substr(0, 40);
}

TEST(TextFeed, MuchIsGivenInPieces) {
  TextFeed feed(8);
  TextFeed::Position reader = feed.End();
  for (unsigned i = 1; i <= 3; ++i) feed.Take(Text(i, std::string(40'000, 'x')));
  EXPECT_TRUE(feed.Read(reader).starts_with("id: 1\n"));
  EXPECT_EQ(reader, feed.End() - 1);
  EXPECT_TRUE(feed.Read(reader).starts_with("id: 3\n"));
  EXPECT_EQ(feed.Read(reader), "");
}

TEST(TextFeed, WhatIsNoTextIsLeftOut) {
  TextFeed feed(8);
  TextFeed::Position reader = feed.End();
  feed.Take({{"type", "status"}, {"text", "a"}});
  feed.Take(Text(1, 7));
  feed.Take(Text(1, std::string(70'000, 'x')));
  feed.Take({{"type", "text"}, {"sequence", -1}, {"text", "a"}});
  feed.Take({{"type", "text"}, {"text", "a"}});
  feed.Take({{"type", 3}});
  EXPECT_EQ(feed.Read(reader), "");
  feed.Take({{"type", "text"}, {"sequence", 9U}, {"pts", "soon"}, {"text", "a"}});
  EXPECT_EQ(feed.Read(reader), "id: 9\ndata: {\"pts\":null,\"sequence\":9,\"text\":\"a\"}\n\n");
}

}  // namespace
}  // namespace framelock::api
