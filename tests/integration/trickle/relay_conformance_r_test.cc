// SPDX-License-Identifier: Apache-2.0
// What trickle clients in the field rely on, case by case (see trickle/PROTOCOL.md): what the
// reference was seen to do. The numbers are those of the protocol's case list.
#include <random>

#include "tests/support/relay_fixture.h"

namespace framelock::relay {
namespace {

using namespace std::chrono_literals;
using test::Ask;
using test::HttpProbe;

class RelayBehaviour : public test::RelayFixture {};

TEST_F(RelayBehaviour, R01_LateReaderGetsAllThenTrickles) {
  Start();
  const auto channel = Channel();
  auto publisher = Preconnect(channel, 0);
  publisher.Chunk("aaaa");
  EXPECT_TRUE(Eventually([&] { return Inside(channel).next() == 1; }));
  auto reader = Reader(channel, 0);
  ASSERT_TRUE(reader.ReadHead());
  EXPECT_EQ(reader.AtLeast(4), "aaaa");
  publisher.Chunk("bb");
  EXPECT_EQ(reader.AtLeast(2), "bb");
  EXPECT_EQ(reader.Some(kQuiet), std::nullopt);
  publisher.EndChunks();
  EXPECT_EQ(reader.Body(), "");
}

TEST_F(RelayBehaviour, R02_NoHeadBeforeTheFirstByte) {
  Start();
  const auto channel = Channel();
  auto reader = Reader(channel, 0);
  auto publisher = Preconnect(channel, 0);
  EXPECT_TRUE(Waits(reader));
  publisher.Chunk("x");
  ASSERT_TRUE(reader.ReadHead());
  EXPECT_EQ(reader.status(), 200);
}

TEST_F(RelayBehaviour, R03_Next) {
  Start();
  const auto channel = Channel();
  EXPECT_EQ(Next(channel), "0");
  Put(channel, 0, "x");
  EXPECT_EQ(Next(channel), "1");
}

TEST_F(RelayBehaviour, R04_NextMovesOnTheFirstByteNotOnPreconnect) {
  Start();
  const auto channel = Channel();
  auto publisher = Preconnect(channel, 0);
  EXPECT_TRUE(Waits(publisher));
  EXPECT_EQ(Next(channel), "0");
  publisher.Chunk("x");
  EXPECT_TRUE(Eventually([&] { return Inside(channel).next() == 1; }));
}

TEST_F(RelayBehaviour, R05_TwoAheadIs470) {
  Start();
  const auto channel = Channel();
  Put(channel, 0, "x");
  const auto answer = Get(channel, 2);
  EXPECT_EQ(answer.status, 470);
  EXPECT_EQ(Value(answer, "lp-trickle-latest"), "1");
  EXPECT_EQ(Value(answer, "lp-trickle-seq"), "2");
}

TEST_F(RelayBehaviour, R06_OneAheadWaits) {
  Start();
  const auto channel = Channel();
  Put(channel, 0, "x");
  auto reader = Reader(channel, 1);
  EXPECT_TRUE(Waits(reader));
  Put(channel, 1, "y");
  ASSERT_TRUE(reader.ReadHead());
  EXPECT_EQ(reader.Body(), "y");
}

TEST_F(RelayBehaviour, R07_SeqOneWaitsOnAnEmptyChannel) {
  Start();
  const auto channel = Channel();
  auto reader = Reader(channel, 1);
  EXPECT_TRUE(Waits(reader));
  Put(channel, 0, "x");
  Put(channel, 1, "y");
  ASSERT_TRUE(reader.ReadHead());
  EXPECT_EQ(reader.Header("lp-trickle-latest"), "0");
  EXPECT_EQ(reader.Body(), "y");
}

TEST_F(RelayBehaviour, R08_BadSeqIs400) {
  Start();
  const auto channel = Channel();
  for (const char* seq : {"abc", "-3", "-5", "99999999999999999999", "1.5", ""}) {
    EXPECT_EQ(Ask(port_, "GET", channel + "/" + seq).status, 400) << seq;
    EXPECT_EQ(Ask(port_, "POST", channel + "/" + seq, {}, "x").status, 400) << seq;
    EXPECT_EQ(Ask(port_, "DELETE", channel + "/" + seq).status, 400) << seq;
  }
  EXPECT_EQ(Ask(port_, "POST", channel + "/-2", {}, "x").status, 400);
  EXPECT_EQ(Ask(port_, "DELETE", channel + "/-1").status, 400);
  EXPECT_EQ(Next(channel), "0") << "the channel lives on";
}

TEST_F(RelayBehaviour, R09_DeleteSeq) {
  Start();
  const auto channel = Channel();
  auto publisher = Preconnect(channel, 0);
  auto reader = Reader(channel, 0);
  EXPECT_TRUE(Waits(publisher));
  EXPECT_TRUE(Waits(reader));
  EXPECT_EQ(Ask(port_, "DELETE", channel + "/0").status, 200);
  ASSERT_TRUE(publisher.ReadHead());
  EXPECT_EQ(publisher.status(), 200);
  EXPECT_EQ(publisher.Header("lp-trickle-closed"), std::nullopt);
  EXPECT_EQ(publisher.Header("connection"), "close");
  ASSERT_TRUE(reader.ReadHead());
  EXPECT_EQ(reader.status(), 200);
  EXPECT_EQ(reader.Header("lp-trickle-closed"), std::nullopt);
  EXPECT_EQ(reader.Body(), "");
  EXPECT_EQ(Next(channel), "1");
  EXPECT_EQ(Ask(port_, "DELETE", channel + "/77").status, 400);
  EXPECT_EQ(Ask(port_, "DELETE", "/zip/0").status, 404);
}

TEST_F(RelayBehaviour, R10_ContentTypeIsTheChannels) {
  Start();
  const auto channel = Channel("application/json");
  Put(channel, "0", "{}", {{"Content-Type", "video/MP2T"}});
  EXPECT_EQ(Value(Get(channel, 0), "content-type"), "application/json");
  Ask(port_, "POST", "/implied/0", {{"Content-Type", "video/mp2t"}}, "x");
  EXPECT_EQ(Value(Get("/implied", 0), "content-type"), "video/mp2t");
}

TEST_F(RelayBehaviour, R11_RetainsFive) {
  Start();
  const auto channel = Channel();
  for (int seq = 0; seq < 10; ++seq) Put(channel, seq, std::to_string(seq));
  for (int seq = 5; seq < 10; ++seq) EXPECT_EQ(Get(channel, seq).body, std::to_string(seq));
  EXPECT_EQ(Get(channel, 4).status, 470);
}

TEST_F(RelayBehaviour, R12_ManyReadersSameBytes) {
  Start();
  const auto channel = Channel();
  std::vector<std::unique_ptr<HttpProbe>> readers;
  for (int i = 0; i < 20; ++i) {
    readers.push_back(std::make_unique<HttpProbe>(port_));
    readers.back()->Request("GET", channel + "/0");
  }
  auto publisher = Preconnect(channel, 0);
  std::mt19937 random(5);
  std::string expected;
  for (int i = 0; i < 50; ++i) {
    std::string piece(3000 + static_cast<std::size_t>(i), '\0');
    for (char& c : piece) c = static_cast<char>(random());
    publisher.Chunk(piece);
    expected += piece;
  }
  publisher.EndChunks();
  ASSERT_TRUE(publisher.ReadHead());
  for (auto& reader : readers) {
    ASSERT_TRUE(reader->ReadHead());
    EXPECT_TRUE(reader->Body() == expected);
  }
}

TEST_F(RelayBehaviour, R13_SlowReaderBlocksNobodyAndSurvivesEviction) {
  constexpr std::size_t kSize = 32u << 20;
  Start({.channels = {.limits = {.max_segment_bytes = 64u << 20}}});
  const auto channel = Channel();
  auto publisher = Preconnect(channel, 0);
  auto reader = Reader(channel, 0);
  const std::string megabyte(1u << 20, 'm');
  for (std::size_t sent = 0; sent < kSize; sent += megabyte.size()) publisher.Chunk(megabyte);
  publisher.EndChunks();
  ASSERT_TRUE(publisher.ReadHead(10s));
  for (int seq = 1; seq < 8; ++seq) Put(channel, seq, "x");
  EXPECT_EQ(Get(channel, 0).status, 470);
  ASSERT_TRUE(reader.ReadHead());
  EXPECT_EQ(reader.Body(20s).value_or("").size(), kSize);
}

TEST_F(RelayBehaviour, R14_VanishedPublisherMayComeBack) {
  Start();
  const auto channel = Channel();
  auto publisher = Preconnect(channel, 0);
  publisher.Chunk("abc");
  auto reader = Reader(channel, 0);
  ASSERT_TRUE(reader.ReadHead());
  EXPECT_EQ(reader.AtLeast(3), "abc");
  publisher.Close();
  EXPECT_EQ(reader.Some(kQuiet), std::nullopt);
  Put(channel, 0, "def");
  EXPECT_EQ(reader.Body(), "def");
  EXPECT_EQ(Get(channel, 0).body, "abcdef");
}

TEST_F(RelayBehaviour, R15_PostToAFinishedSeqIsDropped) {
  Start();
  const auto channel = Channel();
  Put(channel, 0, "one");
  EXPECT_EQ(Value(Put(channel, 0, "two"), "connection"), "close");
  EXPECT_EQ(Get(channel, 0).body, "one");
}

TEST_F(RelayBehaviour, R16_SkippedSeqWaitsUntilItsSlotIsReused) {
  Start();
  const auto channel = Channel();
  Put(channel, 0, "0");
  auto reader = Reader(channel, 1);
  EXPECT_TRUE(Waits(reader));
  for (int seq = 2; seq < 6; ++seq) Put(channel, seq, "x");
  EXPECT_TRUE(Waits(reader));
  Put(channel, 6, "x");
  ASSERT_TRUE(reader.ReadHead());
  EXPECT_EQ(reader.status(), 200);
  EXPECT_EQ(reader.Header("lp-trickle-seq"), "1");
  EXPECT_EQ(reader.Body(), "");
}

TEST_F(RelayBehaviour, R17_LowerSeqMovesNextBack) {
  Start();
  const auto channel = Channel();
  Put(channel, 100, "h");
  EXPECT_EQ(Next(channel), "101");
  Put(channel, 3, "t");
  EXPECT_EQ(Next(channel), "4");
}

TEST_F(RelayBehaviour, R18_KeepAliveAndPipelining) {
  Start();
  const auto channel = Channel();
  HttpProbe probe(port_);
  probe.Request("POST", channel + "/0", {}, "aa").Request("POST", channel + "/1", {}, "bb");
  for (const char* seq : {"0", "1"}) {
    ASSERT_TRUE(probe.ReadHead());
    EXPECT_EQ(probe.status(), 200);
    EXPECT_EQ(probe.Header("lp-trickle-seq"), seq);
    EXPECT_EQ(probe.Body(), "");
  }
  probe.Request("GET", channel + "/1");
  ASSERT_TRUE(probe.ReadHead());
  EXPECT_EQ(probe.Body(), "bb");
}

TEST_F(RelayBehaviour, R19_IdlePreconnectGetsInterim100s) {
  Start({.preconnect_keepalive = 100ms});
  const auto channel = Channel();
  auto publisher = Preconnect(channel, 0);
  EXPECT_FALSE(publisher.ReadHead(350ms));
  EXPECT_GE(publisher.interim(), 2);
  EXPECT_LE(publisher.interim(), 3);
  publisher.Chunk("x");
  EXPECT_TRUE(Eventually([&] { return Inside(channel).next() == 1; }));
  const int before = publisher.interim();
  EXPECT_FALSE(publisher.ReadHead(250ms));
  EXPECT_EQ(publisher.interim(), before) << "none once bytes have come";
  publisher.EndChunks();
  ASSERT_TRUE(publisher.ReadHead());
  EXPECT_EQ(publisher.status(), 200);
}

TEST_F(RelayBehaviour, R20_Expect100) {
  Start();
  const auto channel = Channel();
  HttpProbe publisher(port_);
  publisher.RequestChunked("POST", channel + "/0", {{"Expect", "100-continue"}});
  EXPECT_TRUE(Waits(publisher));
  EXPECT_EQ(publisher.interim(), 1);
  publisher.Chunk("x").EndChunks();
  ASSERT_TRUE(publisher.ReadHead());
  EXPECT_EQ(publisher.status(), 200);
}

TEST_F(RelayBehaviour, R21_PreconnectToAMissingChannelFailsAtOnce) {
  Start({.channels = {.autocreate = false}});
  auto publisher = Preconnect("/missing", 0);
  ASSERT_TRUE(publisher.ReadHead(1s));
  EXPECT_EQ(publisher.status(), 404);
  EXPECT_EQ(publisher.Header("connection"), "close");
}

TEST_F(RelayBehaviour, R22_Routing) {
  Start();
  const auto channel = Channel();
  EXPECT_EQ(Ask(port_, "GET", channel).status, 405);
  EXPECT_EQ(Value(Ask(port_, "GET", channel), "allow"), "DELETE, POST");
  EXPECT_EQ(Ask(port_, "PUT", channel + "/0", {}, "x").status, 405);
  EXPECT_EQ(Ask(port_, "GET", channel + "/0/0").status, 404);
  EXPECT_EQ(Ask(port_, "GET", "/").status, 404);
}

}  // namespace
}  // namespace framelock::relay
