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
    const Result<PromptVerdict> verdict = co_await stream->UpdatePrompt(Prompt("BAD"));
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
      const Result<PromptVerdict> verdict = co_await stream->UpdatePrompt(Prompt("NEW"));
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
    const Result<PromptVerdict> verdict = co_await stream->UpdatePrompt(Prompt("NEW"));
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
    const Result<PromptVerdict> verdict = co_await stream->UpdatePrompt(Prompt("NEW"));
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
    const Result<PromptVerdict> verdict = co_await stream->UpdatePrompt(Prompt("NEW"));
    EXPECT_FALSE(verdict);
    EXPECT_EQ(verdict.error().code, ErrorCode::kTimeout) << verdict.error().message;
    co_await stream->Stop();
  });
}

TEST_F(StreamTest, APromptThatKillsItsWorkersGivesWayToTheOneBefore) {
  Run([&](Stream::Surroundings& around) -> net::Task<> {
    auto stream = Stream::Create(around, Config("a"), "GOOD");
    co_await stream->Start();
    PromptUpdate poison = Prompt("POISON");
    poison.width = 4096;
    co_await stream->UpdatePrompt(poison);
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
    EXPECT_EQ(stream->config().width, 512);
    EXPECT_EQ(house.media.processes[0]->size, (InputSize{512, 512}));
    co_await stream->Stop();
  });
}

TEST_F(StreamTest, AnUpdateWithoutAnAnswerTimesOutAndTheOldPromptIsPutBack) {
  house.limits.prompt_timeout = std::chrono::milliseconds(200);
  Run([&](Stream::Surroundings& around) -> net::Task<> {
    auto stream = Stream::Create(around, Config("a"), "OLD");
    co_await stream->Start();
    house.media.processes[0]->silent_about_prompts = true;
    const Result<PromptVerdict> verdict = co_await stream->UpdatePrompt(Prompt("NEW"));
    EXPECT_FALSE(verdict);
    EXPECT_EQ(verdict.error().code, ErrorCode::kTimeout);
    const bool replaced = co_await Eventually([&] { return house.workers.workers.size() == 2; });
    EXPECT_TRUE(replaced);
    EXPECT_EQ(house.workers.workers[1]->prompts[0].first, "OLD");
    co_await stream->Stop();
  });
}

TEST_F(StreamTest, AnotherSizeTakesEffectWithItsPromptAndOutlivesEveryProcess) {
  Run([&](Stream::Surroundings& around) -> net::Task<> {
    auto stream = Stream::Create(around, Config("a"), "OLD");
    co_await stream->Start();
    auto& media = house.media.processes;
    EXPECT_EQ(media[0]->size, (InputSize{512, 512}));
    PromptUpdate update = Prompt("NEW");
    update.width = 768;
    media[0]->judge = Reject;
    co_await stream->UpdatePrompt(update);
    EXPECT_EQ(stream->config().width, 512);
    media[0]->judge = Accept;
    co_await stream->UpdatePrompt(update);
    EXPECT_EQ(media[0]->size, (InputSize{768, 512}));
    EXPECT_EQ(stream->StatusJson()["width"], 768);
    house.workers.workers[0]->Depart("signal 11 (SIGSEGV)");
    media[0]->size = {};
    const bool lent = co_await Eventually([&] { return media[0]->size == InputSize{768, 512}; });
    EXPECT_TRUE(lent);
    media[0]->Depart("signal 11 (SIGSEGV)");
    const bool again = co_await Eventually(
        [&] { return media.size() == 2 && stream->state() == StreamState::kRunning; });
    EXPECT_TRUE(again);
    EXPECT_EQ(media[1]->config.width, 768);
    EXPECT_EQ(media[1]->config.height, 512);
    co_await stream->Stop();
  });
}

TEST_F(StreamTest, SettingsOfTheWorkerAddUpAndOutliveIt) {
  Run([&](Stream::Surroundings& around) -> net::Task<> {
    auto stream = Stream::Create(around, Config("a"), "OLD");
    co_await stream->Start();
    stream::WorkerSettings wanted;
    EXPECT_EQ(house.workers.workers[0]->settings, wanted);
    PromptUpdate update = Prompt("NEW");
    update.worker.gpu_only = wanted.gpu_only = true;
    co_await stream->UpdatePrompt(update);
    EXPECT_EQ(house.media.processes[0]->worker, wanted);
    update = Prompt("NEWER");
    update.worker.cwd = wanted.cwd = "/workspace";
    co_await stream->UpdatePrompt(update);
    EXPECT_EQ(house.media.processes[0]->worker, wanted);
    update = Prompt("BAD");
    update.worker.gpu_only = false;
    house.media.processes[0]->judge = Reject;
    co_await stream->UpdatePrompt(update);
    EXPECT_EQ(stream->config().worker, wanted);
    house.workers.workers[0]->Depart("signal 11 (SIGSEGV)");
    const bool again = co_await Eventually([&] {
      return house.workers.workers.size() == 2 && stream->state() == StreamState::kRunning;
    });
    EXPECT_TRUE(again);
    EXPECT_EQ(house.workers.workers[1]->prompts[0].first, "NEWER");
    EXPECT_EQ(house.workers.workers[1]->settings, wanted);
    house.media.processes[0]->Depart("signal 11 (SIGSEGV)");
    const bool media = co_await Eventually([&] {
      return house.media.processes.size() == 2 && stream->state() == StreamState::kRunning;
    });
    EXPECT_TRUE(media);
    EXPECT_EQ(house.workers.workers[1]->settings, wanted);
    EXPECT_EQ(house.media.processes[1]->config.worker, wanted);
    co_await stream->Stop();
  });
}

// They may be what killed the workers.
TEST_F(StreamTest, ThePromptThatComesBackHasItsOwnSettings) {
  Run([&](Stream::Surroundings& around) -> net::Task<> {
    auto stream = Stream::Create(around, Config("a"), "OLD");
    co_await stream->Start();
    PromptUpdate update = Prompt("OLD");
    update.worker.cwd = "/fatal";
    co_await stream->UpdatePrompt(update);
    EXPECT_EQ(stream->config().worker.cwd, "/fatal");
    for (std::size_t i = 0; i < PromptHistory::kDeathsOnTrial; ++i) {
      house.workers.workers[i]->Depart("signal 11 (SIGSEGV)");
      const bool again = co_await Eventually([&] {
        return house.workers.workers.size() == i + 2 && stream->state() == StreamState::kRunning;
      });
      EXPECT_TRUE(again);
    }
    EXPECT_EQ(stream->config().worker.cwd, std::nullopt);
    EXPECT_EQ(house.workers.workers.back()->settings.cwd, std::nullopt);
    co_await stream->Stop();
  });
}

TEST_F(StreamTest, ASizeIsThatOfTheMomentWhenItsTurnComes) {
  Run([&](Stream::Surroundings& around) -> net::Task<> {
    auto stream = Stream::Create(around, Config("a"), "OLD");
    co_await stream->Start();
    int done = 0;
    const auto update = [&](PromptUpdate wanted) -> net::Task<> {
      co_await stream->UpdatePrompt(std::move(wanted));
      ++done;
    };
    PromptUpdate wider = Prompt("A");
    wider.width = 768;
    PromptUpdate lower = Prompt("B");
    lower.height = 432;
    house.loop.Spawn(update(wider));
    house.loop.Spawn(update(lower));
    const bool both = co_await Eventually([&] { return done == 2; });
    EXPECT_TRUE(both);
    EXPECT_EQ(house.media.processes[0]->size, (InputSize{768, 432}));
    co_await stream->Stop();
  });
}

}  // namespace
}  // namespace framelock::api
