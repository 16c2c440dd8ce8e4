// SPDX-License-Identifier: Apache-2.0
// Where the relay promises more than the reference: bounds, vanishing clients, live segments.
#include "trickle/relay/relay.h"

#include "tests/support/relay_fixture.h"

namespace framelock::relay {
namespace {

using namespace std::chrono_literals;
using test::Ask;
using test::HttpProbe;

class RelayTest : public test::RelayFixture {};

// However the publisher cut it: a send for each reader and piece would cost the relay far more.
TEST_F(RelayTest, WhatCameTogetherGoesOutTogether) {
  Start();
  const std::string channel = Channel();
  auto reader = Reader(channel, 0);
  auto publisher = Preconnect(channel, 0);
  publisher.Chunk("first");
  ASSERT_TRUE(reader.ReadHead());
  EXPECT_EQ(reader.Some(), "first");
  publisher.Send("1\r\na\r\n2\r\nbc\r\n1\r\nd\r\n");
  EXPECT_EQ(reader.Some(), "abcd");
  publisher.Chunk("last").EndChunks();
  EXPECT_EQ(reader.Body(), "last");
}

TEST_F(RelayTest, OrphanClosesAfterItsGrace) {
  Start({.orphan_grace = 200ms});
  const auto channel = Channel();
  HttpProbe publisher(port_);
  publisher.RequestChunked("POST", channel + "/0").Chunk("abc");
  HttpProbe reader(port_);
  reader.Request("GET", channel + "/0");
  ASSERT_TRUE(reader.ReadHead());
  EXPECT_EQ(reader.AtLeast(3), "abc");
  publisher.Abort();
  EXPECT_EQ(reader.Some(100ms), std::nullopt);
  EXPECT_EQ(reader.Body(), "");
  EXPECT_TRUE(Eventually([&] { return Inside(channel).stats().orphaned_segments == 1; }));
}

TEST_F(RelayTest, OrphanClosesAtOnceWhenItsPublisherGoesOnElsewhere) {
  Start({.orphan_grace = 1h});
  const auto channel = Channel();
  HttpProbe publisher(port_);
  publisher.RequestChunked("POST", channel + "/7").Chunk("abc");
  HttpProbe reader(port_);
  reader.Request("GET", channel + "/7");
  ASSERT_TRUE(reader.ReadHead());
  EXPECT_EQ(reader.AtLeast(3), "abc");
  publisher.Abort();
  EXPECT_EQ(reader.Some(100ms), std::nullopt);
  auto returned = Preconnect(channel, 8);
  returned.Chunk("d");
  EXPECT_EQ(reader.Body(), "");
}

TEST_F(RelayTest, WhoWaitsLearnsThatTheNumbersWentBack) {
  Start({.orphan_grace = 1h});
  const auto channel = Channel();
  Put(channel, 40, "old");
  auto reader = Reader(channel, 41);
  EXPECT_TRUE(Waits(reader));
  auto returned = Preconnect(channel, 0);
  returned.Chunk("new");
  ASSERT_TRUE(reader.ReadHead());
  EXPECT_EQ(reader.status(), 200);
  EXPECT_EQ(reader.Header("lp-trickle-seq"), "41");
  EXPECT_EQ(reader.Header("lp-trickle-latest"), "1");
  EXPECT_EQ(reader.Header("lp-trickle-closed"), std::nullopt);
  EXPECT_EQ(reader.Body(), "");
}

TEST_F(RelayTest, PublisherThatVanishesBeforeItsFirstByteChangesNothing) {
  Start({.orphan_grace = 50ms});
  const auto channel = Channel();
  HttpProbe publisher(port_);
  publisher.RequestChunked("POST", channel + "/0");
  HttpProbe reader(port_);
  reader.Request("GET", channel + "/0");
  EXPECT_FALSE(reader.ReadHead(50ms));
  publisher.Abort();
  EXPECT_FALSE(reader.ReadHead(150ms));
  Put(channel, 0, "later");
  ASSERT_TRUE(reader.ReadHead());
  EXPECT_EQ(reader.Body(), "later");
}

TEST_F(RelayTest, VanishedReadersAreForgotten) {
  Start();
  const auto channel = Channel();
  std::vector<std::unique_ptr<HttpProbe>> readers;
  for (int i = 0; i < 50; ++i) {
    readers.push_back(std::make_unique<HttpProbe>(port_));
    readers.back()->Request("GET", channel + "/0");
  }
  EXPECT_TRUE(Eventually([&] { return Inside(channel).readers() == 50; }));
  for (std::size_t i = 0; i < readers.size(); ++i) {
    i % 2 == 0 ? readers[i]->Close() : readers[i]->Abort();
  }
  EXPECT_TRUE(Eventually([&] { return Inside(channel).readers() == 0; }));
  EXPECT_TRUE(Eventually([&] { return server_->connections() == 0; }));
}

TEST_F(RelayTest, PublishersAreNotCountedAsReaders) {
  Start();
  const auto channel = Channel();
  auto publisher = Preconnect(channel, 0);
  publisher.Chunk("x");
  auto waiting = Preconnect(channel, 1);
  EXPECT_TRUE(Eventually([&] { return Inside(channel).next() == 1; }));
  EXPECT_TRUE(Waits(waiting));
  EXPECT_EQ(thread_.Call([&] { return Inside(channel).readers(); }), 0u);
  auto reader = Reader(channel, 0);
  ASSERT_TRUE(reader.ReadHead());
  EXPECT_EQ(thread_.Call([&] { return Inside(channel).readers(); }), 1u);
}

TEST_F(RelayTest, ReaderThatVanishesInMidSegmentDisturbsNobody) {
  Start();
  const auto channel = Channel();
  HttpProbe publisher(port_);
  publisher.RequestChunked("POST", channel + "/0").Chunk("abc");
  HttpProbe leaves(port_);
  leaves.Request("GET", channel + "/0");
  HttpProbe stays(port_);
  stays.Request("GET", channel + "/0");
  ASSERT_TRUE(leaves.ReadHead());
  leaves.Abort();
  publisher.Chunk("def").EndChunks();
  ASSERT_TRUE(publisher.ReadHead());
  EXPECT_EQ(publisher.status(), 200);
  ASSERT_TRUE(stays.ReadHead());
  EXPECT_EQ(stays.Body(), "abcdef");
}

TEST_F(RelayTest, SegmentTooLongIs413AtOnce) {
  Start({.channels = {.limits = {.max_segment_bytes = 1000}}});
  const auto channel = Channel();
  HttpProbe announced(port_);
  announced.Request("POST", channel + "/0", {{"Content-Length", "1001"}});
  ASSERT_TRUE(announced.ReadHead());
  EXPECT_EQ(announced.status(), 413);
  EXPECT_EQ(announced.Header("connection"), "close");
  EXPECT_EQ(Next(channel), "0");
  HttpProbe grows(port_);
  grows.RequestChunked("POST", channel + "/0").Chunk(std::string(900, 'x'));
  HttpProbe reader(port_);
  reader.Request("GET", channel + "/0");
  ASSERT_TRUE(reader.ReadHead());
  grows.Chunk(std::string(900, 'y'));
  ASSERT_TRUE(grows.ReadHead());
  EXPECT_EQ(grows.status(), 413);
  EXPECT_EQ(grows.Header("connection"), "close");
  EXPECT_EQ(reader.Body(), std::string(900, 'x'));
}

TEST_F(RelayTest, OutOfMemoryIs503UntilSomethingIsFreed) {
  Start({.channels = {.max_total_bytes = 20'000}});
  const auto greedy = Channel();
  const auto modest = Channel();
  EXPECT_EQ(Ask(port_, "POST", greedy + "/0", {}, std::string(30'000, 'x')).status, 503);
  Ask(port_, "DELETE", greedy);
  // A window of five fits, and what leaves it makes room.
  for (int seq = 0; seq < 30; ++seq) Put(modest, seq, std::string(1500, 'x'));
}

TEST_F(RelayTest, TooManyChannelsIs503) {
  Start({.channels = {.max_channels = 2}});
  const auto first = Channel();
  Channel();
  EXPECT_EQ(Ask(port_, "POST", "/third", {}, "").status, 503);
  HttpProbe publisher(port_);
  publisher.RequestChunked("POST", "/third/0");
  ASSERT_TRUE(publisher.ReadHead());
  EXPECT_EQ(publisher.status(), 503);
  EXPECT_EQ(publisher.Header("connection"), "close");
  Ask(port_, "DELETE", first);
  EXPECT_EQ(Ask(port_, "POST", "/third", {}, "").status, 200);
}

TEST_F(RelayTest, BadSeqIsRefusedWhileTheBodyIsOpen) {
  Start();
  const auto channel = Channel();
  HttpProbe publisher(port_);
  publisher.RequestChunked("POST", channel + "/abc").Chunk("x");
  ASSERT_TRUE(publisher.ReadHead(1s));
  EXPECT_EQ(publisher.status(), 400);
  EXPECT_EQ(publisher.Header("connection"), "close");
}

TEST_F(RelayTest, SegmentWhoseBytesFlowIsNotSwept) {
  Start({.channels = {.idle_timeout = 300ms}, .sweep_interval = 20ms});
  const auto channel = Channel();
  HttpProbe publisher(port_);
  publisher.RequestChunked("POST", channel + "/0");
  for (int i = 0; i < 12; ++i) {
    publisher.Chunk("x");
    std::this_thread::sleep_for(80ms);
  }
  publisher.EndChunks();
  ASSERT_TRUE(publisher.ReadHead());
  EXPECT_EQ(publisher.Header("lp-trickle-closed"), std::nullopt);
  EXPECT_EQ(Get(channel, 0).body, std::string(12, 'x'));
}

TEST_F(RelayTest, ReaderThatHoldsTooMuchIsDroppedAndCounted) {
  Start(
      {.channels = {.limits = {.max_segment_bytes = 16u << 20, .reader_backlog_bytes = 1u << 20}}});
  const auto channel = Channel();
  HttpProbe slow(port_);
  slow.Request("GET", channel + "/0");
  EXPECT_FALSE(slow.ReadHead(50ms));
  Put(channel, 0, std::string(16u << 20, 'x'));
  ASSERT_TRUE(slow.ReadHead());
  for (int seq = 1; seq < 7; ++seq) Put(channel, seq, "y");
  EXPECT_TRUE(Eventually([&] { return Inside(channel).stats().dropped_readers == 1; }));
  EXPECT_TRUE(Eventually([&] { return relay_->channels().stored_bytes() < (1u << 20); }));
  EXPECT_EQ(slow.Body(), std::nullopt) << "it must see that bytes are missing";
  EXPECT_EQ(Get(channel, 6).body, "y");
}

TEST_F(RelayTest, ReaderThatTakesNothingIsDroppedAndCounted) {
  net::HttpServerOptions server;
  server.write_timeout = 1s;
  Start({}, server);
  const auto channel = Channel();
  HttpProbe slow(port_);
  slow.Request("GET", channel + "/0");
  EXPECT_FALSE(slow.ReadHead(50ms));
  Put(channel, 0, std::string(16u << 20, 'x'));
  EXPECT_TRUE(Eventually([&] { return Inside(channel).stats().dropped_readers == 1; }));
}

TEST_F(RelayTest, HeadAnswersAsGetWithoutABody) {
  Start();
  const auto channel = Channel();
  Put(channel, 0, "bytes");
  HttpProbe probe(port_);
  probe.Request("HEAD", channel + "/0").Request("HEAD", channel + "/next");
  ASSERT_TRUE(probe.ReadHead());
  EXPECT_EQ(probe.status(), 200);
  EXPECT_EQ(probe.Header("lp-trickle-seq"), "0");
  ASSERT_TRUE(probe.ReadHead());
  EXPECT_EQ(probe.Header("lp-trickle-latest"), "1");
}

TEST_F(RelayTest, PublisherLearnsAtItsEndThatTheChannelWasClosed) {
  Start();
  const auto channel = Channel();
  HttpProbe publisher(port_);
  publisher.RequestChunked("POST", channel + "/0").Chunk("x");
  EXPECT_TRUE(Eventually([&] { return Inside(channel).next() == 1; }));
  Ask(port_, "DELETE", channel);
  publisher.Chunk("y").EndChunks();
  ASSERT_TRUE(publisher.ReadHead());
  EXPECT_EQ(publisher.status(), 200);
  EXPECT_EQ(publisher.Header("lp-trickle-closed"), "terminated");
}

TEST_F(RelayTest, BrokenChunkingIs400AndLeavesAnOrphan) {
  Start({.orphan_grace = 50ms});
  const auto channel = Channel();
  HttpProbe publisher(port_);
  publisher.RequestChunked("POST", channel + "/0").Chunk("abc").Send("zz\r\n");
  ASSERT_TRUE(publisher.ReadHead());
  EXPECT_EQ(publisher.status(), 400);
  const auto answer = Get(channel, 0);
  EXPECT_EQ(answer.body, "abc");
}

TEST_F(RelayTest, BaseAndEscapedNames) {
  Start({.base = "ai/trickle"});
  EXPECT_EQ(Ask(port_, "POST", "/ai/trickle/a%2Fb/0", {}, "x").status, 200);
  EXPECT_EQ(Ask(port_, "GET", "/ai/trickle/a%2fb/0?query").body, "x");
  EXPECT_EQ(Ask(port_, "GET", "/a%2Fb/0").status, 404);
}

TEST_F(RelayTest, StatusAndChangefeedTellWhatIsThere) {
  Start({.version = "1.2.3", .channels = {.changefeed = true}});
  const auto channel = Channel("text/\"odd\"");
  Put(channel, 0, "12345");
  const auto status = Ask(port_, "GET", "/_status");
  EXPECT_EQ(status.status, 200);
  EXPECT_NE(status.body.find(R"("service":"framelock-relay","version":"1.2.3")"),
            std::string::npos);
  EXPECT_NE(
      status.body.find(R"({"name":"c1","mime":"text/\"odd\"","next":1,"readers":0,"bytes":5,)"),
      std::string::npos)
      << status.body;
  EXPECT_EQ(Ask(port_, "GET", "/_changes/0").body, R"({"added":["_changes"]})");
  EXPECT_EQ(Ask(port_, "GET", "/_changes/1").body, R"({"added":["c1"]})");
  HttpProbe follower(port_);
  follower.Request("GET", "/_changes/-1");
  EXPECT_FALSE(follower.ReadHead(50ms));
  Ask(port_, "DELETE", channel);
  ASSERT_TRUE(follower.ReadHead());
  EXPECT_EQ(follower.Body(), R"({"removed":["c1"]})");
}

TEST_F(RelayTest, AThousandChannels) {
  Start();
  HttpProbe probe(port_);
  for (int i = 0; i < 1000; ++i) {
    const std::string name = "/many" + std::to_string(i);
    probe.Request("POST", name + "/0", {}, name);
    ASSERT_TRUE(probe.ReadHead());
    ASSERT_EQ(probe.status(), 200);
  }
  for (int i = 0; i < 1000; i += 37) {
    const std::string name = "/many" + std::to_string(i);
    probe.Request("GET", name + "/0");
    ASSERT_TRUE(probe.ReadHead());
    EXPECT_EQ(probe.Body(), name);
  }
  for (int i = 0; i < 1000; ++i) {
    probe.Request("DELETE", "/many" + std::to_string(i));
    ASSERT_TRUE(probe.ReadHead());
  }
  EXPECT_TRUE(Eventually([&] { return relay_->channels().stored_bytes() == 0; }));
}

TEST_F(RelayTest, CloseAnswersEverybodyWhoWaits) {
  Start();
  const auto channel = Channel();
  HttpProbe reader(port_);
  reader.Request("GET", channel + "/0");
  HttpProbe publisher(port_);
  publisher.RequestChunked("POST", channel + "/0");
  EXPECT_FALSE(reader.ReadHead(50ms));
  thread_.Call([&] {
    server_->StopAccepting();
    relay_->Close();
  });
  ASSERT_TRUE(reader.ReadHead());
  EXPECT_EQ(reader.Header("lp-trickle-closed"), "terminated");
  ASSERT_TRUE(publisher.ReadHead());
  EXPECT_EQ(publisher.Header("lp-trickle-closed"), "terminated");
  EXPECT_TRUE(Eventually([&] { return server_->connections() == 0; }));
}

}  // namespace
}  // namespace framelock::relay
