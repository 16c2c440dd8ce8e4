// SPDX-License-Identifier: Apache-2.0
#include "api/stream.h"

#include <gtest/gtest.h>

#include <array>
#include <csignal>

#include "api/stream_registry.h"
#include "tests/unit/api/fake_house.h"

namespace framelock::api {
namespace {

using nlohmann::json;

stream::StreamConfig Config(const std::string& id) {
  stream::StreamConfig config;
  config.id = id;
  config.subscribe_url = "http://h/in";
  config.publish_url = "http://h/out";
  return config;
}

// Waits, bounded, until the stream is in `state`.
net::Task<bool> Reaches(std::shared_ptr<Stream> stream, StreamState state) {
  co_return co_await Eventually([&] { return stream->state() == state; });
}

class StreamTest : public testing::Test {
 protected:
  void Run(std::function<net::Task<>(Stream::Surroundings&)> body) {
    Stream::Surroundings around = house.Around();
    house.Run([&] { return body(around); });
  }
  FakeHouse house;
};

TEST_F(StreamTest, StartsWorkerThenMediaAndStopsBoth) {
  Run([&](Stream::Surroundings& around) -> net::Task<> {
    auto stream = Stream::Create(around, Config("a"), "PROMPT");
    const Result<PromptVerdict> up = co_await stream->Start();
    EXPECT_TRUE(up && up->applied);
    EXPECT_EQ(stream->state(), StreamState::kRunning);
    EXPECT_EQ(house.workers.workers.size(), 1u);
    EXPECT_EQ(house.workers.workers[0]->prompts,
              (std::vector<std::pair<std::string, std::uint64_t>>{{"PROMPT", 1}}));
    EXPECT_EQ(house.media.processes[0]->leases,
              (std::vector<std::pair<int, std::uint64_t>>{{1000, 1}}));
    co_await stream->Stop();
    EXPECT_EQ(stream->state(), StreamState::kStopped);
    EXPECT_TRUE(house.media.processes[0]->stop_requested);
    EXPECT_TRUE(house.workers.workers[0]->socket_closed);
    EXPECT_TRUE(house.workers.workers[0]->departure);
  });
}

TEST_F(StreamTest, ARefusedPromptStartsNoMediaAndLeavesNothing) {
  house.workers.judge = Reject;
  Run([&](Stream::Surroundings& around) -> net::Task<> {
    auto stream = Stream::Create(around, Config("a"), "BAD");
    const Result<PromptVerdict> up = co_await stream->Start();
    EXPECT_TRUE(up && !up->applied);
    EXPECT_TRUE(up && up->errors_json.find("missing input") != std::string::npos);
    EXPECT_TRUE(house.media.processes.empty());
    EXPECT_TRUE(house.workers.workers[0]->departure);
    EXPECT_EQ(stream->state(), StreamState::kFailed);
  });
}

TEST_F(StreamTest, WaitsForAWorkerButNotForever) {
  house.workers.refusals = 2;
  Run([&](Stream::Surroundings& around) -> net::Task<> {
    auto stream = Stream::Create(around, Config("a"), "P");
    const Result<PromptVerdict> up = co_await stream->Start();
    EXPECT_TRUE(up);
    co_await stream->Stop();
    house.workers.refusals = 1 << 30;
    auto late = Stream::Create(around, Config("b"), "P");
    const Result<PromptVerdict> none = co_await late->Start();
    EXPECT_FALSE(none);
    EXPECT_EQ(none.error().code, ErrorCode::kUnavailable);
  });
}

TEST_F(StreamTest, AMediaProcessThatDiesAtOnceFailsTheStart) {
  house.media.die_at_once = true;
  Run([&](Stream::Surroundings& around) -> net::Task<> {
    auto stream = Stream::Create(around, Config("a"), "P");
    const Result<PromptVerdict> up = co_await stream->Start();
    EXPECT_FALSE(up);
    EXPECT_NE(up.error().message.find("exit code 1"), std::string::npos) << up.error().message;
    EXPECT_TRUE(house.workers.workers[0]->departure);
  });
}

TEST_F(StreamTest, AMediaProcessThatNeverStartsIsKilled) {
  house.media.start = false;
  Run([&](Stream::Surroundings& around) -> net::Task<> {
    auto stream = Stream::Create(around, Config("a"), "P");
    const Result<PromptVerdict> up = co_await stream->Start();
    EXPECT_FALSE(up);
    EXPECT_EQ(up.error().code, ErrorCode::kTimeout);
    EXPECT_EQ(house.media.processes[0]->departure->reason, "signal 9 (SIGKILL)");
  });
}

TEST_F(StreamTest, ADeadWorkerIsReplacedWithTheSamePromptAndRevision) {
  Run([&](Stream::Surroundings& around) -> net::Task<> {
    auto stream = Stream::Create(around, Config("a"), "OLD");
    co_await stream->Start();
    const Result<PromptVerdict> updated = co_await stream->UpdatePrompt("NEW");
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

TEST(PromptHistory, ProvenPromptsAreNotBlamed) {
  PromptHistory history("A");
  EXPECT_FALSE(history.OnWorkerDied(0));
  EXPECT_FALSE(history.OnWorkerDied(0));
  history.OnAccepted("B", 2, 100);
  EXPECT_FALSE(history.OnWorkerDied(100));
  EXPECT_FALSE(history.OnWorkerDied(100 + PromptHistory::kProofFrames));
  EXPECT_FALSE(history.OnWorkerDied(1000));
  EXPECT_EQ(history.text(), "B");
}

TEST(PromptHistory, APromptOnTrialIsNoFallback) {
  PromptHistory history("A");
  history.OnAccepted("B", 2, 0);
  history.OnAccepted("C", 3, 10);
  EXPECT_FALSE(history.OnWorkerDied(10));
  EXPECT_TRUE(history.OnWorkerDied(10));
  EXPECT_EQ(history.text(), "A");
  EXPECT_EQ(history.revision(), 4u);
}

TEST_F(StreamTest, AnUpdateWithoutAnAnswerTimesOutAndTheOldPromptIsPutBack) {
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

TEST_F(StreamTest, StopEndsAStartThatHangs) {
  house.workers.hang = true;
  Run([&](Stream::Surroundings& around) -> net::Task<> {
    auto stream = Stream::Create(around, Config("a"), "P");
    bool answered = false;
    const auto start = [&]() -> net::Task<> {
      const Result<PromptVerdict> up = co_await stream->Start();
      EXPECT_FALSE(up);
      EXPECT_EQ(up.error().code, ErrorCode::kCancelled);
      answered = true;
    };
    house.loop.Spawn(start());
    const bool taken = co_await Eventually([&] { return !house.workers.workers.empty(); });
    EXPECT_TRUE(taken);
    co_await stream->Stop();
    EXPECT_EQ(stream->state(), StreamState::kStopped);
    const bool ended = co_await Eventually([&] { return answered; });
    EXPECT_TRUE(ended);
  });
}

TEST_F(StreamTest, StubbornProcessesGoUpTheLadder) {
  house.media.ignore_stop = true;
  house.workers.ignore_close = true;
  Run([&](Stream::Surroundings& around) -> net::Task<> {
    auto stream = Stream::Create(around, Config("a"), "P");
    co_await stream->Start();
    co_await stream->Stop();
    EXPECT_EQ(house.media.processes[0]->signals, std::vector<int>{SIGTERM});
    EXPECT_EQ(house.media.processes[0]->departure->reason, "signal 9 (SIGKILL)");
    EXPECT_EQ(house.workers.workers[0]->signals, std::vector<int>{SIGTERM});
    EXPECT_EQ(house.workers.workers[0]->departure->reason, "signal 9 (SIGKILL)");
  });
}

TEST_F(StreamTest, TheEndOfTheInputEndsTheStream) {
  Run([&](Stream::Surroundings& around) -> net::Task<> {
    auto stream = Stream::Create(around, Config("a"), "P");
    co_await stream->Start();
    house.media.processes[0]->Say({{"type", "ended"}, {"reason", "eos"}});
    const bool stopped = co_await Reaches(stream, StreamState::kStopped);
    EXPECT_TRUE(stopped);
    EXPECT_TRUE(house.workers.workers[0]->departure);
  });
}

TEST_F(StreamTest, AnEndByErrorFailsTheStreamWithItsText) {
  Run([&](Stream::Surroundings& around) -> net::Task<> {
    auto stream = Stream::Create(around, Config("a"), "P");
    co_await stream->Start();
    house.media.processes[0]->Say({{"type", "error"}, {"message", "no channel"}, {"fatal", true}});
    house.media.processes[0]->Say({{"type", "ended"}, {"reason", "error"}});
    const bool failed = co_await Reaches(stream, StreamState::kFailed);
    EXPECT_TRUE(failed);
    EXPECT_EQ(stream->StatusJson()["last_error"], "no channel");
  });
}

TEST_F(StreamTest, StatusShowsTheMediaProcessesOwnWords) {
  Run([&](Stream::Surroundings& around) -> net::Task<> {
    auto stream = Stream::Create(around, Config("a"), "P");
    co_await stream->Start();
    house.media.processes[0]->Say({{"type", "status"},
                                   {"status",
                                    {{"state", "waiting"},
                                     {"fps_in", 30.0},
                                     {"fps_out", 29.5},
                                     {"latency_ms", {{"p50", 12}}},
                                     {"last_error", "input: 404"}}}});
    const json status = stream->StatusJson();
    EXPECT_EQ(status["state"], "waiting");
    EXPECT_EQ(status["fps"]["out"], 29.5);
    EXPECT_EQ(status["last_error"], "input: 404");
    EXPECT_EQ(status["media_pid"], 2000);
    EXPECT_EQ(status["worker"]["pid"], 1000);
    for (const char* key :
         {"request_id", "running", "subscribe_url", "publish_url", "width", "height", "frame_count",
          "worker_status", "pipeline_type", "architecture", "uptime_ms", "account", "queues",
          "prompt_revision", "reconnects", "started_at"}) {
      EXPECT_TRUE(status.contains(key)) << key;
    }
    co_await stream->Stop();
  });
}

class RegistryTest : public StreamTest {};

TEST_F(RegistryTest, ADuplicateIsRefusedBeforeAnySideEffect) {
  Run([&](Stream::Surroundings& around) -> net::Task<> {
    StreamRegistry registry(around, {});
    const Result<PromptVerdict> first = co_await registry.Start(Config("a"), "P");
    EXPECT_TRUE(first);
    const Result<PromptVerdict> second = co_await registry.Start(Config("a"), "P");
    EXPECT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::kAlreadyExists);
    EXPECT_EQ(house.workers.workers.size(), 1u);
    const bool stopped = co_await registry.Stop("a");
    EXPECT_TRUE(stopped);
    const bool again = co_await registry.Stop("a");
    EXPECT_FALSE(again);
    EXPECT_TRUE(registry.streams().empty());
  });
}

TEST_F(RegistryTest, FullMeansRefused) {
  Run([&](Stream::Surroundings& around) -> net::Task<> {
    StreamRegistry::Options options;
    options.max_streams = 1;
    StreamRegistry registry(around, options);
    co_await registry.Start(Config("a"), "P");
    const Result<PromptVerdict> second = co_await registry.Start(Config("b"), "P");
    EXPECT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::kResourceLimit);
    const std::size_t count = co_await registry.StopAll();
    EXPECT_EQ(count, 1u);
  });
}

TEST_F(RegistryTest, FailedStreamsStayToBeLookedAtButNotTooMany) {
  Run([&](Stream::Surroundings& around) -> net::Task<> {
    StreamRegistry::Options options;
    options.max_ended = 1;
    StreamRegistry registry(around, options);
    const std::array<const char*, 3> ids{"a", "b", "c"};
    for (const char* id : ids) {
      co_await registry.Start(Config(id), "P");
      house.media.processes.back()->Say({{"type", "ended"}, {"reason", "eos"}});
      const bool stopped = co_await Reaches(registry.Find(id), StreamState::kStopped);
      EXPECT_TRUE(stopped);
    }
    co_await registry.Start(Config("d"), "P");
    EXPECT_EQ(registry.Find("a"), nullptr);
    EXPECT_EQ(registry.Find("b"), nullptr);
    EXPECT_NE(registry.Find("c"), nullptr);
    const Result<PromptVerdict> again = co_await registry.Start(Config("c"), "P");
    EXPECT_TRUE(again);
    EXPECT_EQ(registry.active(), 2u);
    co_await registry.StopAll();
  });
}

TEST_F(RegistryTest, ConcurrentStopsAllAnswer) {
  Run([&](Stream::Surroundings& around) -> net::Task<> {
    StreamRegistry registry(around, {});
    co_await registry.Start(Config("a"), "P");
    int answers = 0;
    const auto stop = [&]() -> net::Task<> {
      const bool stopped = co_await registry.Stop("a");
      answers += stopped ? 1 : 0;
    };
    for (int i = 0; i < 5; ++i) house.loop.Spawn(stop());
    const bool all = co_await Eventually([&] { return answers == 5; });
    EXPECT_TRUE(all);
    EXPECT_TRUE(registry.streams().empty());
  });
}

}  // namespace
}  // namespace framelock::api
