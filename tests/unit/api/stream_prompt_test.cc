// SPDX-License-Identifier: Apache-2.0
// Of prompts given to a stream that runs.
#include "tests/unit/api/stream_fixture.h"

namespace framelock::api {
namespace {

TEST_F(StreamTest, ARejectedUpdateChangesNothing) {
  Run([&](Stream::Surroundings& around) -> net::Task<> {
    auto stream = Stream::Create(around, Config("a"), "OLD");
    co_await stream->Start();
    house.media.processes[0]->judge = Reject;
    const Result<PromptVerdict> verdict = co_await stream->UpdatePrompt("BAD");
    EXPECT_TRUE(verdict && !verdict->applied);
    EXPECT_EQ(stream->prompt().text(), "OLD");
    EXPECT_EQ(stream->prompt().revision(), 1u);
    EXPECT_EQ(stream->state(), StreamState::kRunning);
    co_await stream->Stop();
  });
}

TEST_F(StreamTest, AnUpdateWhoseWorkerDiesIsTriedOnTheNextOne) {
  Run([&](Stream::Surroundings& around) -> net::Task<> {
    auto stream = Stream::Create(around, Config("a"), "OLD");
    co_await stream->Start();
    house.media.processes[0]->silent_about_prompts = true;
    bool done = false;
    const auto update = [&]() -> net::Task<> {
      const Result<PromptVerdict> verdict = co_await stream->UpdatePrompt("NEW");
      EXPECT_TRUE(verdict && verdict->applied);
      done = true;
    };
    house.loop.Spawn(update());
    const bool asked =
        co_await Eventually([&] { return !house.media.processes[0]->prompts.empty(); });
    EXPECT_TRUE(asked);
    house.media.processes[0]->silent_about_prompts = false;
    house.workers.workers[0]->Depart("signal 11 (SIGSEGV)");
    const bool updated = co_await Eventually([&] { return done; });
    EXPECT_TRUE(updated);
    EXPECT_EQ(house.workers.workers[1]->prompts[0].first, "OLD");
    EXPECT_EQ(stream->prompt().text(), "NEW");
    co_await stream->Stop();
  });
}

TEST_F(StreamTest, AnUpdateThatMeetsADeadMediaProcessIsTriedOnTheNextOne) {
  Run([&](Stream::Surroundings& around) -> net::Task<> {
    auto stream = Stream::Create(around, Config("a"), "OLD");
    co_await stream->Start();
    house.media.processes[0]->line_closed = true;  // and its end has not been noticed yet
    const Result<PromptVerdict> verdict = co_await stream->UpdatePrompt("NEW");
    EXPECT_TRUE(verdict && verdict->applied);
    EXPECT_EQ(house.media.processes.size(), 2u);
    EXPECT_EQ(house.media.processes.back()->prompts, std::vector<std::string>{"NEW"});
    EXPECT_EQ(stream->prompt().text(), "NEW");
    EXPECT_EQ(stream->state(), StreamState::kRunning);
    co_await stream->Stop();
  });
}

TEST_F(StreamTest, AnUpdateDoesNotWaitForAPoolThatPausesForLonger) {
  house.limits.prompt_timeout = std::chrono::seconds(30);
  Run([&](Stream::Surroundings& around) -> net::Task<> {
    auto stream = Stream::Create(around, Config("a"), "OLD");
    co_await stream->Start();
    house.workers.refusals = 1 << 30;
    house.workers.paused = std::chrono::seconds(42);
    house.workers.workers[0]->Depart("signal 11 (SIGSEGV)");
    const bool waits = co_await Reaches(stream, StreamState::kReplacingWorker);
    EXPECT_TRUE(waits);
    const SteadyTime began = Clock::System().Now();
    const Result<PromptVerdict> verdict = co_await stream->UpdatePrompt("NEW");
    EXPECT_FALSE(verdict);
    EXPECT_EQ(verdict.error().code, ErrorCode::kUnavailable);
    EXPECT_LT(Clock::System().Now() - began, std::chrono::seconds(10));
    EXPECT_EQ(stream->prompt().text(), "OLD");
    co_await stream->Stop();
  });
}

TEST_F(StreamTest, AnUpdateWaitsForAWorkerThatIsBeingMade) {
  house.limits.prompt_timeout = std::chrono::milliseconds(200);
  Run([&](Stream::Surroundings& around) -> net::Task<> {
    auto stream = Stream::Create(around, Config("a"), "OLD");
    co_await stream->Start();
    house.workers.refusals = 1 << 30;
    house.workers.workers[0]->Depart("signal 11 (SIGSEGV)");
    const bool waits = co_await Reaches(stream, StreamState::kReplacingWorker);
    EXPECT_TRUE(waits);
    const Result<PromptVerdict> verdict = co_await stream->UpdatePrompt("NEW");
    EXPECT_FALSE(verdict);
    EXPECT_EQ(verdict.error().code, ErrorCode::kTimeout) << verdict.error().message;
    co_await stream->Stop();
  });
}

TEST_F(StreamTest, APromptThatKillsItsWorkersGivesWayToTheOneBefore) {
  Run([&](Stream::Surroundings& around) -> net::Task<> {
    auto stream = Stream::Create(around, Config("a"), "GOOD");
    co_await stream->Start();
    co_await stream->UpdatePrompt("POISON");
    for (std::size_t death = 1; death <= 2; ++death) {
      house.workers.workers.back()->Depart("signal 11 (SIGSEGV)");
      const bool again = co_await Eventually([&] {
        return house.workers.workers.size() == death + 1 &&
               stream->state() == StreamState::kRunning;
      });
      EXPECT_TRUE(again);
    }
    using Given = std::pair<std::string, std::uint64_t>;
    EXPECT_EQ(house.workers.workers[1]->prompts[0], Given("POISON", 2));
    EXPECT_EQ(house.workers.workers[2]->prompts[0], Given("GOOD", 3));
    EXPECT_EQ(stream->prompt().revision(), 3u);
    co_await stream->Stop();
  });
}

TEST_F(StreamTest, AnUpdateWithoutAnAnswerTimesOutAndTheOldPromptIsPutBack) {
  house.limits.prompt_timeout = std::chrono::milliseconds(200);
  Run([&](Stream::Surroundings& around) -> net::Task<> {
    auto stream = Stream::Create(around, Config("a"), "OLD");
    co_await stream->Start();
    house.media.processes[0]->silent_about_prompts = true;
    const Result<PromptVerdict> verdict = co_await stream->UpdatePrompt("NEW");
    EXPECT_FALSE(verdict);
    EXPECT_EQ(verdict.error().code, ErrorCode::kTimeout);
    const bool replaced = co_await Eventually([&] { return house.workers.workers.size() == 2; });
    EXPECT_TRUE(replaced);
    EXPECT_EQ(house.workers.workers[1]->prompts[0].first, "OLD");
    co_await stream->Stop();
  });
}

}  // namespace
}  // namespace framelock::api
