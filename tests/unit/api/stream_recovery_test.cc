// SPDX-License-Identifier: Apache-2.0
// Of a stream whose processes die or are replaced.
#include "tests/unit/api/stream_fixture.h"

namespace framelock::api {
namespace {

using nlohmann::json;

TEST_F(StreamTest, ADeadWorkerIsReplacedWithTheSamePromptAndRevision) {
  Run([&](Stream::Surroundings& around) -> net::Task<> {
    auto stream = Stream::Create(around, Config("a"), "OLD");
    co_await stream->Start();
    const Result<PromptVerdict> updated = co_await stream->UpdatePrompt(Prompt("NEW"));
    EXPECT_TRUE(updated && updated->applied);
    EXPECT_EQ(stream->prompt().revision(), 2u);
    house.workers.workers[0]->Depart("signal 11 (SIGSEGV)");
    const bool lent =
        co_await Eventually([&] { return house.media.processes[0]->leases.size() == 2; });
    EXPECT_TRUE(lent);
    EXPECT_EQ(house.workers.workers[1]->prompts,
              (std::vector<std::pair<std::string, std::uint64_t>>{{"NEW", 2}}));
    EXPECT_EQ(house.media.processes.size(), 1u);
    EXPECT_EQ(house.media.processes[0]->leases.back(), (std::pair<int, std::uint64_t>(1001, 2)));
    const bool running = co_await Reaches(stream, StreamState::kRunning);
    EXPECT_TRUE(running);
    const json status = stream->StatusJson();
    EXPECT_EQ(status["worker"]["restarts"], 1);
    EXPECT_EQ(status["worker"]["last_exit"]["reason"], "signal 11 (SIGSEGV)");
    EXPECT_EQ(status["last_error"], "worker died: signal 11 (SIGSEGV)");
    co_await stream->Stop();
  });
}

TEST_F(StreamTest, AHungWorkerIsKilledOnceAndALateReportChangesNothing) {
  Run([&](Stream::Surroundings& around) -> net::Task<> {
    auto stream = Stream::Create(around, Config("a"), "P");
    co_await stream->Start();
    const json lost = {{"type", "worker_lost"}, {"lease", 1}, {"reason", "hung"}};
    house.media.processes[0]->Say(lost);
    const bool replaced = co_await Eventually([&] { return house.workers.workers.size() == 2; });
    EXPECT_TRUE(replaced);
    EXPECT_EQ(house.workers.workers[0]->departure->reason, "signal 9 (SIGKILL)");
    const bool running = co_await Reaches(stream, StreamState::kRunning);
    EXPECT_TRUE(running);
    house.media.processes[0]->Say(lost);
    const bool waited = co_await Eventually(
        [&, turns = 0]() mutable { return house.workers.workers.size() > 2 || ++turns > 100; });
    EXPECT_TRUE(waited);
    EXPECT_EQ(house.workers.workers.size(), 2u);
    EXPECT_FALSE(house.workers.workers[1]->departure);
    co_await stream->Stop();
  });
}

TEST_F(StreamTest, ADeadMediaProcessIsRestartedWithTheSameWorker) {
  Run([&](Stream::Surroundings& around) -> net::Task<> {
    auto stream = Stream::Create(around, Config("a"), "P");
    co_await stream->Start();
    house.media.processes[0]->Say(
        {{"type", "status"},
         {"status",
          {{"account", {{"inputs", 10}, {"completed", 7}, {"skipped", 2}, {"open", 1}}}}}});
    house.media.processes[0]->Depart("signal 9 (SIGKILL)");
    const bool respawned = co_await Eventually([&] { return house.media.processes.size() == 2; });
    EXPECT_TRUE(respawned);
    const bool running = co_await Reaches(stream, StreamState::kRunning);
    EXPECT_TRUE(running);
    EXPECT_EQ(house.workers.workers.size(), 1u);
    EXPECT_EQ(house.workers.workers[0]->prompts.size(), 2u);  // asked again before it is lent again
    EXPECT_EQ(house.media.processes[1]->leases.back(), (std::pair<int, std::uint64_t>(1000, 1)));
    house.media.processes[1]->Say(
        {{"type", "status"}, {"status", {{"account", {{"inputs", 5}, {"completed", 5}}}}}});
    const json account = stream->StatusJson()["account"];
    EXPECT_EQ(account, json::parse(R"({"inputs":15,"completed":12,"skipped":2,"failed":0,"lost":1,
                                       "open":0})"));
    co_await stream->Stop();
  });
}

TEST_F(StreamTest, CrashesBeyondTheLimitFailTheStreamWithADiagnosis) {
  house.limits.restart.max_restarts = 3;
  Run([&](Stream::Surroundings& around) -> net::Task<> {
    auto stream = Stream::Create(around, Config("a"), "P");
    co_await stream->Start();
    house.workers.die_at_once = true;
    house.workers.workers[0]->Depart("signal 11 (SIGSEGV)");
    const bool failed = co_await Reaches(stream, StreamState::kFailed);
    EXPECT_TRUE(failed);
    EXPECT_EQ(house.workers.workers.size(), 4u);
    const json status = stream->StatusJson();
    EXPECT_FALSE(status["running"].get<bool>());
    EXPECT_NE(status["last_error"].get<std::string>().find("given up after 3 restarts"),
              std::string::npos);
    EXPECT_TRUE(house.media.processes[0]->departure);
    co_await stream->Stop();
  });
}

TEST_F(StreamTest, ARunningStreamWaitsWhileThePoolPausesAndIsNotBlamedForIt) {
  house.limits.restart.max_restarts = 1;
  Run([&](Stream::Surroundings& around) -> net::Task<> {
    auto stream = Stream::Create(around, Config("a"), "P");
    co_await stream->Start();
    house.workers.refusals = 1 << 30;
    house.workers.paused = std::chrono::seconds(42);
    house.workers.workers[0]->Depart("signal 11 (SIGSEGV)");
    // Several times as long as a start would wait for a worker.
    const SteadyTime until = Clock::System().Now() + 4 * house.limits.worker_timeout;
    const bool waited = co_await Eventually([&] { return Clock::System().Now() > until; });
    EXPECT_TRUE(waited);
    EXPECT_EQ(stream->state(), StreamState::kReplacingWorker);
    const json status = stream->StatusJson();
    EXPECT_EQ(status["worker"]["state"], "waiting");
    EXPECT_EQ(status["worker"]["retry_in_ms"], 42'000);
    EXPECT_EQ(status["last_error"], "waiting for a worker: no worker");
    EXPECT_FALSE(house.media.processes[0]->departure);
    house.workers.refusals = 0;
    const bool running = co_await Reaches(stream, StreamState::kRunning);
    EXPECT_TRUE(running);
    EXPECT_EQ(house.workers.workers.size(), 2u);
    EXPECT_EQ(stream->StatusJson()["worker"]["state"], "ready");
    EXPECT_EQ(stream->StatusJson()["worker"]["retry_in_ms"], nullptr);
    co_await stream->Stop();
  });
}

TEST_F(StreamTest, AMediaProcessIsWatchedWhileAWorkerIsWaitedFor) {
  Run([&](Stream::Surroundings& around) -> net::Task<> {
    auto stream = Stream::Create(around, Config("a"), "P");
    co_await stream->Start();
    house.workers.refusals = 1 << 30;
    house.workers.paused = std::chrono::seconds(42);
    house.workers.workers[0]->Depart("signal 11 (SIGSEGV)");
    const bool waits = co_await Reaches(stream, StreamState::kReplacingWorker);
    EXPECT_TRUE(waits);
    house.media.processes[0]->Depart("signal 9 (SIGKILL)");
    const bool noted = co_await Eventually([&] {
      return stream->StatusJson()["media"]["last_exit"]["reason"] == "signal 9 (SIGKILL)";
    });
    EXPECT_TRUE(noted);
    const bool publishes = co_await Eventually([&] { return house.media.processes.size() == 2; });
    EXPECT_TRUE(publishes) << "it needs no worker to publish";
    house.workers.refusals = 0;
    const bool running = co_await Reaches(stream, StreamState::kRunning);
    EXPECT_TRUE(running);
    EXPECT_EQ(house.media.processes.size(), 2u);
    const json status = stream->StatusJson();
    EXPECT_EQ(status["media"]["restarts"], 1);
    EXPECT_EQ(status["worker"]["restarts"], 1);
    co_await stream->Stop();
  });
}

TEST_F(StreamTest, TheEndOfTheInputEndsAStreamThatWaitsForAWorker) {
  Run([&](Stream::Surroundings& around) -> net::Task<> {
    auto stream = Stream::Create(around, Config("a"), "P");
    co_await stream->Start();
    house.workers.refusals = 1 << 30;
    house.workers.workers[0]->Depart("signal 11 (SIGSEGV)");
    const bool waits = co_await Reaches(stream, StreamState::kReplacingWorker);
    EXPECT_TRUE(waits);
    house.media.processes[0]->Say({{"type", "ended"}, {"reason", "eos"}});
    const bool stopped = co_await Reaches(stream, StreamState::kStopped);
    EXPECT_TRUE(stopped);
  });
}

TEST_F(StreamTest, AStartDoesNotWaitForAPoolThatPauses) {
  house.workers.refusals = 1 << 30;
  house.workers.paused = std::chrono::seconds(42);
  house.limits.worker_timeout = std::chrono::hours(1);
  Run([&](Stream::Surroundings& around) -> net::Task<> {
    auto stream = Stream::Create(around, Config("a"), "P");
    const Result<PromptVerdict> up = co_await stream->Start();
    EXPECT_FALSE(up);
    EXPECT_EQ(up.error().code, ErrorCode::kUnavailable);
    EXPECT_EQ(stream->state(), StreamState::kFailed);
  });
}

TEST_F(StreamTest, ARestartAskedForWhileThePoolPausesLeavesTheWorkerAlone) {
  Run([&](Stream::Surroundings& around) -> net::Task<> {
    auto stream = Stream::Create(around, Config("a"), "P");
    co_await stream->Start();
    house.workers.refusals = 1 << 30;
    house.workers.paused = std::chrono::seconds(42);
    const Status restarted = co_await stream->RestartWorker();
    EXPECT_FALSE(restarted);
    EXPECT_EQ(restarted.error().code, ErrorCode::kUnavailable);
    EXPECT_FALSE(house.workers.workers[0]->departure);
    EXPECT_EQ(stream->state(), StreamState::kRunning);
    co_await stream->Stop();
  });
}

TEST_F(StreamTest, RestartsAskedForDoNotCount) {
  house.limits.restart.max_restarts = 0;
  Run([&](Stream::Surroundings& around) -> net::Task<> {
    auto stream = Stream::Create(around, Config("a"), "P");
    co_await stream->Start();
    for (int i = 0; i < 3; ++i) {
      const Status restarted = co_await stream->RestartWorker();
      EXPECT_TRUE(restarted);
    }
    EXPECT_EQ(house.workers.workers.size(), 4u);
    EXPECT_EQ(stream->state(), StreamState::kRunning);
    co_await stream->Stop();
  });
}

}  // namespace
}  // namespace framelock::api
