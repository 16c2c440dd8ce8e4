// SPDX-License-Identifier: Apache-2.0
// What trickle clients in the field rely on, case by case (see trickle/PROTOCOL.md). The ids are
// those of the protocol's case list: T from the reference's own tests, R from what it was seen to
// do.
#include <random>

#include "tests/support/relay_fixture.h"

namespace framelock::relay {
namespace {

using namespace std::chrono_literals;
using test::Ask;
using test::HttpAnswer;
using test::HttpProbe;

constexpr auto kQuiet = 120ms;  // long enough to call silence silence

class RelayConformance : public test::RelayFixture {
 protected:
  // A chunked publisher that is preconnected, and known to be so by the relay.
  HttpProbe Preconnect(const std::string& channel, int seq) {
    HttpProbe probe(port_);
    probe.RequestChunked("POST", channel + "/" + std::to_string(seq));
    return probe;
  }
  HttpProbe Reader(const std::string& channel, int seq) {
    HttpProbe probe(port_);
    probe.Request("GET", channel + "/" + std::to_string(seq));
    return probe;
  }
  bool Waits(HttpProbe& probe) { return !probe.ReadHead(kQuiet); }
};

std::string Value(const HttpAnswer& answer, const std::string& name) {
  const auto found = answer.headers.find(name);
  return found == answer.headers.end() ? "(none)" : found->second;
}

TEST_F(RelayConformance, T01_CloseLifecycle) {
  Start({.channels = {.autocreate = false}});
  EXPECT_EQ(Ask(port_, "POST", "/ch/0", {}, "first post").status, 404);
  thread_.Call([&] { relay_->channels().Create("ch", "text/plain"); });
  Put("/ch", 0, "first");
  Put("/ch", 1, "second");
  for (int seq = 0; seq < 2; ++seq) {
    const auto answer = Get("/ch", seq);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, seq == 0 ? "first" : "second");
    EXPECT_EQ(Value(answer, "lp-trickle-seq"), std::to_string(seq));
    EXPECT_EQ(Value(answer, "lp-trickle-latest"), "2");
  }
  auto reader = Reader("/ch", 2);
  auto publisher = Preconnect("/ch", 2);
  EXPECT_TRUE(Waits(reader));
  EXPECT_TRUE(Waits(publisher));
  EXPECT_EQ(Ask(port_, "DELETE", "/ch").status, 200);
  ASSERT_TRUE(reader.ReadHead());
  EXPECT_EQ(reader.status(), 200);
  EXPECT_EQ(reader.Header("lp-trickle-closed"), "terminated");
  EXPECT_EQ(reader.Body(), "");
  ASSERT_TRUE(publisher.ReadHead());
  EXPECT_EQ(publisher.status(), 200);
  EXPECT_EQ(publisher.Header("lp-trickle-closed"), "terminated");
  EXPECT_EQ(Get("/ch", 2).status, 404);
  EXPECT_EQ(Ask(port_, "POST", "/ch/3", {}, "bad post").status, 404);
  EXPECT_EQ(Ask(port_, "GET", "/ch/next").status, 404);
}

TEST_F(RelayConformance, T02_CreateWithoutAutocreateIs404) {
  Start({.channels = {.autocreate = false}});
  EXPECT_EQ(Ask(port_, "POST", "/missing", {{"Expect-Content", "text/plain"}}, "").status, 404);
  EXPECT_EQ(Ask(port_, "POST", "/missing/0", {}, "hello").status, 404);
}

TEST_F(RelayConformance, T03_CreateAndPublishWithAutocreate) {
  Start();
  EXPECT_EQ(Ask(port_, "POST", "/created", {}, "").status, 200);
  EXPECT_EQ(Ask(port_, "POST", "/published/0", {}, "hello").status, 200);
  EXPECT_EQ(Get("/published", 0).body, "hello");
}

TEST_F(RelayConformance, T04_DeniedCreateIs403AndMakesNothing) {
  Start({.channels = {.deny_create = {"deny-create"}}});
  EXPECT_EQ(Ask(port_, "POST", "/deny-create-x", {}, "").status, 403);
  EXPECT_EQ(Ask(port_, "POST", "/deny-create-x/0", {}, "x").status, 403);
  EXPECT_EQ(Ask(port_, "GET", "/deny-create-x/next").status, 404);
  EXPECT_EQ(Ask(port_, "POST", "/fine", {}, "").status, 200);
}

TEST_F(RelayConformance, T05_DeniedDeleteIs401AndLeavesTheChannel) {
  Start({.channels = {.deny_delete = {"deny-delete"}}});
  EXPECT_EQ(Ask(port_, "POST", "/deny-delete-x", {}, "").status, 200);
  EXPECT_EQ(Ask(port_, "DELETE", "/deny-delete-x").status, 401);
  EXPECT_EQ(Ask(port_, "GET", "/deny-delete-x/next").status, 200);
}

TEST_F(RelayConformance, T06_DeleteChannel) {
  Start();
  const auto channel = Channel();
  EXPECT_EQ(Ask(port_, "DELETE", channel).status, 200);
  EXPECT_EQ(Ask(port_, "GET", channel + "/next").status, 404);
}

TEST_F(RelayConformance, T06b_DeleteUnknownChannelIs400) {
  Start();
  EXPECT_EQ(Ask(port_, "DELETE", "/nope").status, 400);
}

TEST_F(RelayConformance, T07_AnyRetainedSeqForwardsAndBackwards) {
  Start();
  const auto channel = Channel();
  for (int seq = 0; seq < 4; ++seq) Put(channel, seq, "seg" + std::to_string(seq));
  for (const int seq : {0, 1, 2, 3, 3, 2, 1, 0}) {
    EXPECT_EQ(Get(channel, seq).body, "seg" + std::to_string(seq));
  }
}

TEST_F(RelayConformance, T08_SecondPostToAnOpenSeqAppends) {
  Start();
  const auto channel = Channel();
  auto first = Preconnect(channel, 0);
  first.Chunk("Hello");
  auto reader = Reader(channel, 0);
  ASSERT_TRUE(reader.ReadHead());
  EXPECT_EQ(reader.AtLeast(5), "Hello");
  auto second = Preconnect(channel, 0);
  second.Chunk("GoodbyWorld");
  EXPECT_EQ(reader.AtLeast(11), "GoodbyWorld");
  first.EndChunks();
  ASSERT_TRUE(first.ReadHead());
  EXPECT_EQ(first.status(), 200);
  second.EndChunks();
  ASSERT_TRUE(second.ReadHead());
  EXPECT_EQ(second.status(), 200);
  EXPECT_EQ(Get(channel, 0).body, "HelloGoodbyWorld");
}

TEST_F(RelayConformance, T09_PublisherReset) {
  Start();
  const auto channel = Channel();
  auto publisher = Preconnect(channel, 0);
  publisher.Chunk("Hello");
  auto reader = Reader(channel, 0);
  ASSERT_TRUE(reader.ReadHead());
  EXPECT_EQ(reader.AtLeast(5), "Hello");
  EXPECT_EQ(reader.Some(kQuiet), std::nullopt);
  const auto answer = Put(channel, "-1", "after-reset", {{"Lp-Trickle-Reset", "true"}});
  EXPECT_EQ(Value(answer, "lp-trickle-seq"), "1");
  EXPECT_EQ(reader.Body(), "");
  EXPECT_EQ(Get(channel, 0).body, "Hello");
  EXPECT_EQ(Get(channel, 1).body, "after-reset");
  publisher.Chunk("late-bytes").EndChunks();
  ASSERT_TRUE(publisher.ReadHead());
  EXPECT_EQ(publisher.status(), 200);
  EXPECT_EQ(Get(channel, 0).body, "Hello") << "a closed segment does not change";
}

TEST_F(RelayConformance, T10_EmptySegment) {
  Start();
  const auto channel = Channel();
  auto publisher = Preconnect(channel, 0);
  publisher.EndChunks();
  ASSERT_TRUE(publisher.ReadHead());
  EXPECT_EQ(publisher.status(), 200);
  EXPECT_EQ(publisher.Header("lp-trickle-seq"), "0");
  const auto answer = Get(channel, 0);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "");
  EXPECT_EQ(Value(answer, "lp-trickle-seq"), "0");
  EXPECT_EQ(Value(answer, "lp-trickle-latest"), "1");
  EXPECT_EQ(Value(answer, "lp-trickle-closed"), "(none)");
}

TEST_F(RelayConformance, T11_IdleSweep) {
  Start({.channels = {.idle_timeout = 300ms}, .sweep_interval = 50ms});
  const auto channel = Channel();
  auto reader = Reader(channel, 0);
  ASSERT_TRUE(reader.ReadHead());
  EXPECT_EQ(reader.status(), 200);
  EXPECT_EQ(reader.Header("lp-trickle-closed"), "terminated");
  EXPECT_EQ(Get(channel, 0).status, 404);
}

TEST_F(RelayConformance, T12_StartPositions) {
  Start();
  const auto channel = Channel();
  auto first = Reader(channel, -1);
  EXPECT_TRUE(Waits(first));
  Put(channel, 0, "zeroth");
  ASSERT_TRUE(first.ReadHead());
  EXPECT_EQ(first.Header("lp-trickle-seq"), "0");
  EXPECT_EQ(first.Body(), "zeroth");
  Put(channel, 1, "first");
  const auto current = Get(channel, -2);
  EXPECT_EQ(Value(current, "lp-trickle-seq"), "1");
  EXPECT_EQ(current.body, "first");
  auto next = Reader(channel, -1);
  EXPECT_TRUE(Waits(next));
  Put(channel, 2, "second");
  ASSERT_TRUE(next.ReadHead());
  EXPECT_EQ(next.Header("lp-trickle-seq"), "2");
  EXPECT_EQ(next.Header("lp-trickle-latest"), std::nullopt) << "it waited at the leading edge";
  EXPECT_EQ(next.Body(), "second");
  EXPECT_EQ(Get(channel, 1).body, "first");
}

TEST_F(RelayConformance, T13_OverrunWindow) {
  Start();
  const auto channel = Channel();
  for (int seq = 0; seq < 8; ++seq) Put(channel, seq, "w" + std::to_string(seq));
  const auto gone = Get(channel, 1);
  EXPECT_EQ(gone.status, 470);
  EXPECT_EQ(Value(gone, "lp-trickle-latest"), "8");
  EXPECT_EQ(Value(gone, "lp-trickle-seq"), "1");
  EXPECT_EQ(gone.body, "Entry not found");
  EXPECT_EQ(Get(channel, -2).body, "w7");
  auto reader = Reader(channel, -1);
  EXPECT_TRUE(Waits(reader));
  Put(channel, 8, "ghi");
  ASSERT_TRUE(reader.ReadHead());
  EXPECT_EQ(reader.Body(), "ghi");
}

TEST_F(RelayConformance, T14_PreconnectEndedByCloseIsOneMoreEmptySeq) {
  Start();
  const auto channel = Channel();
  auto first = Preconnect(channel, 0);
  auto second = Preconnect(channel, 1);
  first.Chunk("hello").EndChunks();
  ASSERT_TRUE(first.ReadHead());
  auto reader = Reader(channel, 1);
  EXPECT_TRUE(Waits(reader));
  Ask(port_, "DELETE", channel);
  ASSERT_TRUE(second.ReadHead());
  EXPECT_EQ(second.status(), 200);
  EXPECT_EQ(second.Header("lp-trickle-seq"), "1");
  EXPECT_EQ(second.Header("lp-trickle-closed"), "terminated");
  ASSERT_TRUE(reader.ReadHead());
  EXPECT_EQ(reader.Header("lp-trickle-seq"), "1");
  EXPECT_EQ(reader.Header("lp-trickle-latest"), "2");
  EXPECT_EQ(reader.Body(), "");
}

TEST_F(RelayConformance, R01_LateReaderGetsAllThenTrickles) {
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

TEST_F(RelayConformance, R02_NoHeadBeforeTheFirstByte) {
  Start();
  const auto channel = Channel();
  auto reader = Reader(channel, 0);
  auto publisher = Preconnect(channel, 0);
  EXPECT_TRUE(Waits(reader));
  publisher.Chunk("x");
  ASSERT_TRUE(reader.ReadHead());
  EXPECT_EQ(reader.status(), 200);
}

TEST_F(RelayConformance, R03_Next) {
  Start();
  const auto channel = Channel();
  EXPECT_EQ(Next(channel), "0");
  Put(channel, 0, "x");
  EXPECT_EQ(Next(channel), "1");
}

TEST_F(RelayConformance, R04_NextMovesOnTheFirstByteNotOnPreconnect) {
  Start();
  const auto channel = Channel();
  auto publisher = Preconnect(channel, 0);
  EXPECT_TRUE(Waits(publisher));
  EXPECT_EQ(Next(channel), "0");
  publisher.Chunk("x");
  EXPECT_TRUE(Eventually([&] { return Inside(channel).next() == 1; }));
}

TEST_F(RelayConformance, R05_TwoAheadIs470) {
  Start();
  const auto channel = Channel();
  Put(channel, 0, "x");
  const auto answer = Get(channel, 2);
  EXPECT_EQ(answer.status, 470);
  EXPECT_EQ(Value(answer, "lp-trickle-latest"), "1");
  EXPECT_EQ(Value(answer, "lp-trickle-seq"), "2");
}

TEST_F(RelayConformance, R06_OneAheadWaits) {
  Start();
  const auto channel = Channel();
  Put(channel, 0, "x");
  auto reader = Reader(channel, 1);
  EXPECT_TRUE(Waits(reader));
  Put(channel, 1, "y");
  ASSERT_TRUE(reader.ReadHead());
  EXPECT_EQ(reader.Body(), "y");
}

TEST_F(RelayConformance, R07_SeqOneWaitsOnAnEmptyChannel) {
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

TEST_F(RelayConformance, R08_BadSeqIs400) {
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

TEST_F(RelayConformance, R09_DeleteSeq) {
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

TEST_F(RelayConformance, R10_ContentTypeIsTheChannels) {
  Start();
  const auto channel = Channel("application/json");
  Put(channel, "0", "{}", {{"Content-Type", "video/MP2T"}});
  EXPECT_EQ(Value(Get(channel, 0), "content-type"), "application/json");
  Ask(port_, "POST", "/implied/0", {{"Content-Type", "video/mp2t"}}, "x");
  EXPECT_EQ(Value(Get("/implied", 0), "content-type"), "video/mp2t");
}

TEST_F(RelayConformance, R11_RetainsFive) {
  Start();
  const auto channel = Channel();
  for (int seq = 0; seq < 10; ++seq) Put(channel, seq, std::to_string(seq));
  for (int seq = 5; seq < 10; ++seq) EXPECT_EQ(Get(channel, seq).body, std::to_string(seq));
  EXPECT_EQ(Get(channel, 4).status, 470);
}

TEST_F(RelayConformance, R12_ManyReadersSameBytes) {
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

TEST_F(RelayConformance, R13_SlowReaderBlocksNobodyAndSurvivesEviction) {
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

TEST_F(RelayConformance, R14_VanishedPublisherMayComeBack) {
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

TEST_F(RelayConformance, R15_PostToAFinishedSeqIsDropped) {
  Start();
  const auto channel = Channel();
  Put(channel, 0, "one");
  EXPECT_EQ(Value(Put(channel, 0, "two"), "connection"), "close");
  EXPECT_EQ(Get(channel, 0).body, "one");
}

TEST_F(RelayConformance, R16_SkippedSeqWaitsUntilItsSlotIsReused) {
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

TEST_F(RelayConformance, R17_LowerSeqMovesNextBack) {
  Start();
  const auto channel = Channel();
  Put(channel, 100, "h");
  EXPECT_EQ(Next(channel), "101");
  Put(channel, 3, "t");
  EXPECT_EQ(Next(channel), "4");
}

TEST_F(RelayConformance, R18_KeepAliveAndPipelining) {
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

TEST_F(RelayConformance, R19_IdlePreconnectGetsInterim100s) {
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

TEST_F(RelayConformance, R20_Expect100) {
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

TEST_F(RelayConformance, R21_PreconnectToAMissingChannelFailsAtOnce) {
  Start({.channels = {.autocreate = false}});
  auto publisher = Preconnect("/missing", 0);
  ASSERT_TRUE(publisher.ReadHead(1s));
  EXPECT_EQ(publisher.status(), 404);
  EXPECT_EQ(publisher.Header("connection"), "close");
}

TEST_F(RelayConformance, R22_Routing) {
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
