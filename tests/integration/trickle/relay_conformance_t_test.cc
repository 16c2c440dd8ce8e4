// SPDX-License-Identifier: Apache-2.0
// What trickle clients in the field rely on, case by case (see trickle/PROTOCOL.md): the cases of
// the reference's own tests. The numbers are those of the protocol's case list.
#include "tests/support/relay_fixture.h"

namespace framelock::relay {
namespace {

using namespace std::chrono_literals;
using test::Ask;
using test::HttpProbe;

class RelayConformance : public test::RelayFixture {};

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

}  // namespace
}  // namespace framelock::relay
