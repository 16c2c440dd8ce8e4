// SPDX-License-Identifier: Apache-2.0
// The near side against a worker written in another language, in good and in bad faith.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <thread>

#include "tests/support/worker_session.h"

namespace framelock::host {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

const WorkerCommand kForeign{.argv = {"python3", FRAMELOCK_FAKE_WORKER}};

class ForeignWorkerTest : public testing::Test {
 protected:
  void SetUp() override {
    session_ = WorkerSession::Start(kForeign);
    ASSERT_TRUE(session_);
    const auto welcome = session_->Expect<WorkerClient::Welcomed>();
    EXPECT_EQ(welcome.pid, session_->process->pid());
  }

  void Ready(const std::string& prompt) {
    session_->Apply(1, prompt);
    session_->Attach({.width = 64, .height = 48});
  }

  std::unique_ptr<WorkerSession> session_;
};

TEST_F(ForeignWorkerTest, FramesComeBackInverted) {
  const auto applied = session_->Apply(1, "{}");
  EXPECT_EQ(applied.output_width, 0u) << "nothing is attached yet";
  const auto attached = session_->Attach({.width = 64, .height = 48});
  EXPECT_EQ(attached.output_width, 64u);
  for (std::uint8_t i = 1; i <= 20; ++i) {
    session_->Submit(i, i);
    const auto [completed, output] = session_->Complete();
    EXPECT_EQ(completed.sequence, i);
    ASSERT_EQ(completed.outcome, protocol::FrameOutcome::kCompleted) << completed.error.data();
    for (std::size_t at = 0; at < 64 * 48 * 3; ++at) {
      ASSERT_EQ(output[at], ~WorkerSession::Pattern(at, i)) << at;
    }
  }
}

TEST_F(ForeignWorkerTest, ARejectedPromptLeavesTheOldOne) {
  Ready("{}");
  ASSERT_TRUE(session_->client->SetPrompt(2, R"({"reject":"no such node"})"));
  session_->Submit(1, 0);
  EXPECT_THAT(session_->Expect<WorkerClient::PromptRejected>().errors_json,
              HasSubstr("no such node"));
  EXPECT_EQ(session_->Complete().first.revision, 1u);
}

TEST_F(ForeignWorkerTest, AnOutputOfAnotherSizeNeedsARegionForIt) {
  Ready("{}");
  const auto applied = session_->Apply(2, R"({"op":"copy","scale":2})");
  EXPECT_EQ(applied.output_width, 128u);
  session_->Submit(1, 0);
  EXPECT_EQ(session_->Complete().first.outcome, protocol::FrameOutcome::kOutputTooLarge);
  const auto attached =
      session_->Attach({.width = 64, .height = 48, .output_slot_bytes = 128 * 96 * 3});
  EXPECT_EQ(attached.output_height, 96u);
  session_->Submit(2, 9);
  const auto [completed, output] = session_->Complete();
  EXPECT_EQ(completed.outcome, protocol::FrameOutcome::kCompleted);
  EXPECT_EQ(output[0], WorkerSession::Pattern(0, 9));
  EXPECT_EQ(output[3], WorkerSession::Pattern(0, 9)) << "the second of the two";
}

TEST_F(ForeignWorkerTest, EachLieEndsTheConversation) {
  const std::pair<const char*, const char*> lies[] = {
      {"sequence", "unknown"},      {"repeat", "answered before"}, {"slot", "output slot"},
      {"generation", "generation"}, {"revision", "revision"},      {"size", "contradicts"},
      {"type", "type 1069"},        {"fds", "descriptors"},        {"short", "255 bytes"}};
  for (const auto& [lie, text] : lies) {
    SetUp();
    Ready(std::string(R"({"lie":")") + lie + "\"}");
    session_->Submit(1, 0);
    if (std::string(lie) == "repeat") session_->Complete();
    const auto event = session_->Next();
    ASSERT_FALSE(event) << lie;
    EXPECT_EQ(event.error().code, ErrorCode::kProtocol) << lie;
    EXPECT_THAT(event.error().message, HasSubstr(text)) << lie;
  }
}

TEST_F(ForeignWorkerTest, ADeadWorkerReadsAsClosed) {
  Ready(R"({"exit":9})");
  session_->Submit(1, 0);
  const auto event = session_->Next();
  ASSERT_FALSE(event);
  EXPECT_EQ(event.error().code, ErrorCode::kClosed);
  EXPECT_EQ(session_->process->Wait(10s)->ToString(), "exit code 9");
}

TEST_F(ForeignWorkerTest, TheHeartbeatOutlivesAHangButNotAStop) {
  Ready(R"({"hang":true})");
  session_->Submit(1, 0);
  EXPECT_EQ(session_->Next(400ms).error().code, ErrorCode::kTimeout);
  session_->client->HeartbeatAge();
  std::this_thread::sleep_for(300ms);
  EXPECT_LT(session_->client->HeartbeatAge(), 300ms);
  session_->process->Signal(SIGSTOP);
  session_->client->HeartbeatAge();
  std::this_thread::sleep_for(200ms);
  session_->client->HeartbeatAge();
  std::this_thread::sleep_for(800ms);
  EXPECT_GE(session_->client->HeartbeatAge(), 750ms);
}

TEST_F(ForeignWorkerTest, StopEndsIt) {
  ASSERT_TRUE(session_->client->Stop());
  EXPECT_EQ(session_->process->Wait(10s)->ToString(), "exit code 0");
}

}  // namespace
}  // namespace framelock::host
