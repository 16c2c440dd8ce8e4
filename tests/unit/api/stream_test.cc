// SPDX-License-Identifier: Apache-2.0
#include "api/stream.h"

#include <csignal>

#include "tests/unit/api/stream_fixture.h"

namespace framelock::api {
namespace {

using nlohmann::json;

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

}  // namespace
}  // namespace framelock::api
