// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stream/prompt_line.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <condition_variable>
#include <mutex>

namespace framelock::stream {
namespace {

PromptLine::Reply WaitForReply(PromptLine& line) {
  for (;;) {
    if (auto reply = line.NextReply()) return std::move(*reply);
    pollfd entry{line.fd(), POLLIN, 0};
    ::poll(&entry, 1, 10'000);
  }
}

TEST(PromptLine, AnswersInOrder) {
  auto line = PromptLine::Create([](const PromptLine::Request& request) {
    const std::string& prompt = request.change.prompt;
    return StreamPipeline::PromptAnswer{
        .applied = prompt != "bad", .in_force = false, .revision = prompt.size(), .errors = {}};
  });
  ASSERT_TRUE(line.ok());
  EXPECT_TRUE((*line)->Submit({1, {.prompt = "one"}, UniqueFd()}));
  EXPECT_TRUE((*line)->Submit({2, {.prompt = "bad"}, UniqueFd()}));
  EXPECT_TRUE((*line)->Submit({3, {.prompt = "three"}, UniqueFd()}));
  EXPECT_TRUE((*line)->Submit({4, {}, UniqueFd(::dup(0))}));
  const PromptLine::Reply first = WaitForReply(**line);
  EXPECT_EQ(first.number, 1);
  EXPECT_EQ(first.kind, PromptLine::Kind::kPrompt);
  const PromptLine::Reply second = WaitForReply(**line);
  EXPECT_EQ(second.number, 2);
  EXPECT_FALSE(second.answer.applied);
  EXPECT_EQ(WaitForReply(**line).answer.revision, 5U);
  EXPECT_EQ(WaitForReply(**line).kind, PromptLine::Kind::kWorker);
}

TEST(PromptLine, RefusesWhenTooManyWaitAndNeverBlocks) {
  std::mutex mutex;
  std::condition_variable changed;
  bool release = false;
  {
    auto line = PromptLine::Create([&](const PromptLine::Request&) {
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return release; });
      return StreamPipeline::PromptAnswer{};
    });
    ASSERT_TRUE(line.ok());
    std::size_t taken = 0;
    while ((*line)->Submit({0, {.prompt = "x"}, UniqueFd()})) ++taken;
    EXPECT_GE(taken, PromptLine::kMaxWaiting);
    EXPECT_LE(taken, PromptLine::kMaxWaiting + 1);
    const std::lock_guard lock(mutex);
    release = true;
    changed.notify_all();
  }
}

}  // namespace
}  // namespace framelock::stream
