// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stream/outbox.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace framelock::stream {
namespace {

using nlohmann::json;

struct Ends {
  ControlChannel stream;
  std::optional<ControlChannel> daemon;

  static Ends Open() {
    auto pair = PacketSocket::CreatePair();
    return {ControlChannel(std::move(pair->first)), ControlChannel(std::move(pair->second))};
  }
  // Everything that has arrived.
  std::vector<json> Read() {
    std::vector<json> all;
    for (;;) {
      auto message = daemon->Receive();
      if (!message || !*message) return all;
      all.push_back((*message)->body);
    }
  }
};

// Says so much that the line is full; returns how many messages wait at the end.
int FillUp(Outbox& outbox) {
  int said = 0;
  while (!outbox.waiting()) {
    EXPECT_TRUE(outbox.Say({{"type", "filler"}, {"n", said++}}).ok());
  }
  return said;
}

TEST(Outbox, SendsAtOnceAndInOrder) {
  Ends ends = Ends::Open();
  Outbox outbox(&ends.stream);
  EXPECT_TRUE(outbox.Say({{"type", "started"}}).ok());
  EXPECT_TRUE(outbox.SayStatus({{"state", "running"}}).ok());
  EXPECT_FALSE(outbox.waiting());
  const std::vector<json> got = ends.Read();
  ASSERT_EQ(got.size(), 2U);
  EXPECT_EQ(got[0], json({{"type", "started"}}));
  EXPECT_EQ(got[1], json({{"type", "status"}, {"status", {{"state", "running"}}}}));
}

TEST(Outbox, KeepsMessagesAndOnlyTheNewestStatusWhileTheLineIsFull) {
  Ends ends = Ends::Open();
  Outbox outbox(&ends.stream);
  const int filled = FillUp(outbox);
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(outbox.SayStatus({{"n", i}}).ok());
  EXPECT_TRUE(outbox.Say({{"type", "ended"}}).ok());
  std::vector<json> got = ends.Read();
  while (outbox.waiting()) {
    ASSERT_TRUE(outbox.Flush().ok());
    for (json& message : ends.Read()) got.push_back(std::move(message));
  }
  ASSERT_EQ(got.size(), static_cast<std::size_t>(filled) + 2);
  for (int i = 0; i < filled; ++i) EXPECT_EQ(got[static_cast<std::size_t>(i)]["n"], i);
  EXPECT_EQ(got[got.size() - 2]["type"], "ended");
  EXPECT_EQ(got.back()["status"]["n"], 999);
}

TEST(Outbox, IsBounded) {
  Ends ends = Ends::Open();
  Outbox outbox(&ends.stream);
  FillUp(outbox);
  Status said;
  std::size_t kept = 0;
  while ((said = outbox.Say({{"type", "x"}})).ok()) ++kept;
  EXPECT_EQ(said.error().code, ErrorCode::kResourceLimit);
  EXPECT_LT(kept, Outbox::kMaxWaiting);
}

TEST(Outbox, DropsTheOldestTextsWhileTheLineIsFull) {
  Ends ends = Ends::Open();
  Outbox outbox(&ends.stream, 2);
  FillUp(outbox);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(outbox.SayText({{"type", "text"}, {"n", i}}).ok());
  EXPECT_EQ(outbox.dropped_texts(), 3U);
  std::vector<json> texts;
  while (outbox.waiting()) {
    for (json& message : ends.Read()) {
      if (message["type"] == "text") texts.push_back(std::move(message));
    }
    EXPECT_TRUE(outbox.Flush().ok());
  }
  for (json& message : ends.Read()) {
    if (message["type"] == "text") texts.push_back(std::move(message));
  }
  ASSERT_EQ(texts.size(), 2U);
  EXPECT_EQ(texts[0]["n"], 3);
  EXPECT_EQ(texts[1]["n"], 4);
}

TEST(Outbox, NoticesThatThePeerIsGone) {
  Ends ends = Ends::Open();
  Outbox outbox(&ends.stream);
  ends.daemon.reset();
  const Status said = outbox.Say({{"type", "x"}});
  ASSERT_FALSE(said.ok());
  EXPECT_EQ(said.error().code, ErrorCode::kClosed);
}

}  // namespace
}  // namespace framelock::stream
