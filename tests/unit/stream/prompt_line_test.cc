// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stream/prompt_line.h"

#include <gtest/gtest.h>
#include <poll.h>

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
  auto line = PromptLine::Create([](const StreamPipeline::PromptChange& change) {
    return StreamPipeline::PromptAnswer{
        .applied = change.prompt != "bad", .revision = change.prompt.size(), .errors = {}};
  });
  ASSERT_TRUE(line.ok());
  EXPECT_TRUE((*line)->Submit({1, {.prompt = "one"}}));
  EXPECT_TRUE((*line)->Submit({2, {.prompt = "bad"}}));
  EXPECT_TRUE((*line)->Submit({3, {.prompt = "three"}}));
  EXPECT_EQ(WaitForReply(**line).number, 1);
  const PromptLine::Reply second = WaitForReply(**line);
  EXPECT_EQ(second.number, 2);
  EXPECT_FALSE(second.answer.applied);
  EXPECT_EQ(WaitForReply(**line).answer.revision, 5U);
}

TEST(PromptLine, RefusesWhenTooManyWaitAndNeverBlocks) {
  std::mutex mutex;
  std::condition_variable changed;
  bool release = false;
  {
    auto line = PromptLine::Create([&](const StreamPipeline::PromptChange&) {
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return release; });
      return StreamPipeline::PromptAnswer{};
    });
    ASSERT_TRUE(line.ok());
    std::size_t taken = 0;
    while ((*line)->Submit({0, {.prompt = "x"}})) ++taken;
    EXPECT_GE(taken, PromptLine::kMaxWaiting);
    EXPECT_LE(taken, PromptLine::kMaxWaiting + 1);
    const std::lock_guard lock(mutex);
    release = true;
    changed.notify_all();
  }
}

}  // namespace
}  // namespace framelock::stream
