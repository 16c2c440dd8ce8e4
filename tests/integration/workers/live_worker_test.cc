// SPDX-License-Identifier: Apache-2.0
// framelock-worker as a process, driven as an element drives it.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "pipeline/core/latency_window.h"
#include "tests/support/worker_session.h"
#include "workers/host/host_line.h"
#include "workers/protocol/message_codec.h"

namespace framelock::host {
namespace {

using namespace std::chrono_literals;
using protocol::FrameOutcome;
using testing::HasSubstr;

WorkerCommand Command(std::vector<std::string> more = {}) {
  const char* bin = std::getenv("FRAMELOCK_BIN");
  WorkerCommand command{.argv = {std::string(bin == nullptr ? "." : bin) + "/framelock-worker",
                                 "--fault-nodes", "--log-level", "warn"}};
  command.argv.insert(command.argv.end(), more.begin(), more.end());
  return command;
}

// LoadTensor -> one node (may be empty) -> SaveTensor.
std::string Prompt(const std::string& class_type, const std::string& more_inputs = "") {
  const std::string load = R"("1":{"class_type":"LoadTensor","inputs":{}})";
  if (class_type.empty()) {
    return "{" + load + R"(,"3":{"class_type":"SaveTensor","inputs":{"images":["1",0]}}})";
  }
  return "{" + load + R"(,"2":{"class_type":")" + class_type + R"(","inputs":{"image":["1",0])" +
         (more_inputs.empty() ? "" : "," + more_inputs) +
         R"(}},"3":{"class_type":"SaveTensor","inputs":{"images":["2",0]}}})";
}

std::byte Copied(std::byte in) {
  const float value = static_cast<float>(in) / 255.0F;
  return static_cast<std::byte>(value * 255.0F);
}

std::byte Inverted(std::byte in) {
  const float value = 1.0F - static_cast<float>(in) / 255.0F;
  return static_cast<std::byte>(value * 255.0F);
}

constexpr std::size_t kWidth = 64;
constexpr std::size_t kHeight = 48;

class LiveWorkerTest : public testing::Test {
 protected:
  void SetUp() override { Restart(Command()); }

  void Restart(const WorkerCommand& command) {
    session_ = WorkerSession::Start(command);
    ASSERT_TRUE(session_);
    EXPECT_EQ(session_->Expect<WorkerClient::Welcomed>().pid, session_->process->pid());
  }

  void Ready(const std::string& prompt) {
    session_->Apply(1, prompt);
    session_->Attach({.width = kWidth, .height = kHeight});
  }

  // The answer to the oldest frame, checked byte by byte.
  protocol::Completed ExpectFrame(std::uint8_t seed, std::byte (*expected)(std::byte)) {
    const auto [completed, output] = session_->Complete();
    EXPECT_EQ(completed.outcome, FrameOutcome::kCompleted) << completed.error.data();
    for (std::size_t i = 0; i < kWidth * kHeight * 3; ++i) {
      if (output[i] == expected(WorkerSession::Pattern(i, seed))) continue;
      ADD_FAILURE() << "byte " << i << " of frame " << completed.sequence;
      break;
    }
    return completed;
  }

  // Its socket closes; how it ended and how long that took.
  std::pair<std::string, std::chrono::milliseconds> CloseAndWait() {
    const auto before = std::chrono::steady_clock::now();
    session_->client.reset();
    const auto status = session_->process->Wait(10s);
    return {status ? status->ToString() : "still running",
            std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                                  before)};
  }

  std::unique_ptr<WorkerSession> session_;
};

TEST_F(LiveWorkerTest, EachFrameIsComputedFromItsOwnInput) {
  Ready(Prompt("ImageInvert"));
  for (std::uint8_t i = 1; i <= 60; ++i) {
    session_->Submit(i, i);
    const auto completed = ExpectFrame(i, Inverted);
    EXPECT_EQ(completed.sequence, i);
    EXPECT_EQ(completed.output_width, kWidth);
    EXPECT_EQ(completed.output_height, kHeight);
    EXPECT_GT(completed.service_ns, 0u);
  }
}

TEST_F(LiveWorkerTest, APromptChangesBetweenTwoFrames) {
  Ready(Prompt("ImageInvert"));
  session_->Submit(1, 1);
  session_->Submit(2, 2);
  EXPECT_EQ(ExpectFrame(1, Inverted).revision, 1u);
  EXPECT_EQ(ExpectFrame(2, Inverted).revision, 1u);
  const auto applied = session_->Apply(2, Prompt(""));
  EXPECT_EQ(applied.revision, 2u);
  EXPECT_EQ(applied.output_width, kWidth);
  session_->Submit(3, 3);
  EXPECT_EQ(ExpectFrame(3, Copied).revision, 2u);
}

TEST_F(LiveWorkerTest, FramesGoOnWhileAPromptLoads) {
  Ready(Prompt("ImageInvert"));
  const auto sent = std::chrono::steady_clock::now();
  ASSERT_TRUE(session_->client->SetPrompt(2, Prompt("FaultLoadSleep", R"("seconds":1)")));
  std::uint64_t sequence = 0;
  while (std::chrono::steady_clock::now() < sent + 900ms) {
    const auto seed = static_cast<std::uint8_t>(++sequence);
    const auto submitted = std::chrono::steady_clock::now();
    session_->Submit(sequence, seed);
    EXPECT_EQ(ExpectFrame(seed, Inverted).revision, 1u);
    EXPECT_LT(std::chrono::steady_clock::now() - submitted, 300ms);
    std::this_thread::sleep_for(10ms);
  }
  EXPECT_GT(sequence, 20u);
  EXPECT_EQ(session_->Expect<WorkerClient::PromptApplied>().revision, 2u);
  EXPECT_GE(std::chrono::steady_clock::now() - sent, 1s);
  session_->Submit(++sequence, 3);
  EXPECT_EQ(ExpectFrame(3, Copied).revision, 2u);
}

TEST_F(LiveWorkerTest, AStopAndACloseWaitForNoLoad) {
  for (const bool stop : {true, false}) {
    Restart(Command());
    Ready(Prompt("ImageInvert"));
    ASSERT_TRUE(session_->client->SetPrompt(2, Prompt("FaultLoadSleep", R"("seconds":30)")));
    session_->Submit(1, 1);
    ExpectFrame(1, Inverted);
    const auto before = std::chrono::steady_clock::now();
    if (stop) {
      ASSERT_TRUE(session_->client->Stop());
    } else {
      session_->client.reset();
    }
    const auto status = session_->process->Wait(10s);
    ASSERT_TRUE(status);
    EXPECT_EQ(status->ToString(), "exit code 0");
    EXPECT_LT(std::chrono::steady_clock::now() - before, 500ms);
  }
}

TEST_F(LiveWorkerTest, ANewHostIsNotAnsweredWhatTheOneBeforeAsked) {
  Ready(Prompt("ImageInvert"));
  ASSERT_TRUE(session_->client->SetPrompt(2, Prompt("FaultLoadSleep", R"("seconds":0.5)")));
  auto client = WorkerClient::Greet(session_->client->Release());
  ASSERT_TRUE(client);
  session_->client = std::move(*client);
  EXPECT_EQ(session_->Expect<WorkerClient::Welcomed>().revision, 1u);
  EXPECT_EQ(session_->Apply(2, Prompt("")).revision, 2u) << "behind the load that nobody wants";
  EXPECT_EQ(session_->Next(100ms).error().code, ErrorCode::kTimeout);
}

TEST_F(LiveWorkerTest, ARejectedPromptTellsWhyAndChangesNothing) {
  Ready(Prompt("ImageInvert"));
  ASSERT_TRUE(session_->client->SetPrompt(2, Prompt("NoSuchNode")));
  const auto rejected = session_->Expect<WorkerClient::PromptRejected>();
  EXPECT_THAT(rejected.errors_json, HasSubstr("NoSuchNode"));
  session_->Submit(1, 1);
  EXPECT_EQ(ExpectFrame(1, Inverted).revision, 1u);
}

TEST_F(LiveWorkerTest, ALargerOutputGetsALargerRegion) {
  Ready(Prompt("ImageInvert"));
  const auto applied = session_->Apply(
      2, Prompt("ImageScale",
                R"("upscale_method":"nearest-exact","width":128,"height":96,"crop":"disabled")"));
  EXPECT_EQ(applied.output_width, 128u);
  EXPECT_EQ(applied.output_height, 96u);
  session_->Submit(1, 1);
  EXPECT_EQ(session_->Complete().first.outcome, FrameOutcome::kOutputTooLarge);
  const auto attached =
      session_->Attach({.width = kWidth, .height = kHeight, .output_slot_bytes = 128 * 96 * 3});
  EXPECT_EQ(attached.output_width, 128u);
  session_->Submit(2, 5);
  const auto [completed, output] = session_->Complete();
  EXPECT_EQ(completed.outcome, FrameOutcome::kCompleted);
  EXPECT_EQ(output[0], Copied(WorkerSession::Pattern(0, 5)));
  EXPECT_EQ(output[3], output[0]);
}

TEST_F(LiveWorkerTest, RgbaRowsWithPaddingAreRead) {
  session_->Apply(1, Prompt("ImageInvert"));
  session_->Attach(
      {.format = protocol::PixelFormat::kRgba8, .width = 30, .height = 20, .stride = 256});
  session_->Submit(1, 3);
  const auto [completed, output] = session_->Complete();
  ASSERT_EQ(completed.outcome, FrameOutcome::kCompleted);
  for (std::size_t y = 0; y < 20; ++y) {
    for (std::size_t x = 0; x < 30; ++x) {
      const auto* pixel = &output[y * 120 + x * 4];
      ASSERT_EQ(pixel[0], Inverted(WorkerSession::Pattern(y * 256 + x * 4, 3))) << x << " " << y;
      ASSERT_EQ(pixel[3], std::byte{255});
    }
  }
}

TEST_F(LiveWorkerTest, AFailingNodeFailsItsFrameOnly) {
  Ready(Prompt("FaultError", R"("text":"as asked","after":1)"));
  session_->Submit(1, 1);
  ExpectFrame(1, Copied);
  session_->Submit(2, 2);
  const auto failed = session_->Complete().first;
  EXPECT_EQ(failed.outcome, FrameOutcome::kFailed);
  EXPECT_THAT(std::string(failed.error.data()), HasSubstr("as asked"));
  session_->Apply(2, Prompt("ImageInvert"));
  session_->Submit(3, 3);
  ExpectFrame(3, Inverted);
}

TEST_F(LiveWorkerTest, ACrashReadsAsClosedAndTheSignalIsKnown) {
  Ready(Prompt("FaultCrash", R"("signal":11)"));
  session_->Submit(1, 1);
  const auto event = session_->Next();
  ASSERT_FALSE(event);
  EXPECT_EQ(event.error().code, ErrorCode::kClosed);
  const auto status = session_->process->Wait(10s);
  ASSERT_TRUE(status);
  EXPECT_TRUE(status->signalled || status->code != 0);  // a sanitizer turns it into an exit code
}

TEST_F(LiveWorkerTest, AKillMidFrameReadsAsClosed) {
  Ready(Prompt("FaultHang"));
  session_->Submit(1, 1);
  session_->process->Signal(SIGKILL);
  const auto event = session_->Next();
  ASSERT_FALSE(event);
  EXPECT_EQ(event.error().code, ErrorCode::kClosed);
}

TEST_F(LiveWorkerTest, AWrongSequenceIsFoundOut) {
  Ready(Prompt("FaultWrongSequence"));
  session_->Submit(1, 1);
  const auto event = session_->Next();
  ASSERT_FALSE(event);
  EXPECT_EQ(event.error().code, ErrorCode::kProtocol);
  EXPECT_THAT(event.error().message, HasSubstr("sequence 1000001"));
}

TEST_F(LiveWorkerTest, TheHeartbeatOutlivesAHangButNotAStop) {
  Ready(Prompt("FaultHang"));
  session_->Submit(1, 1);
  session_->client->HeartbeatAge();
  std::this_thread::sleep_for(400ms);
  EXPECT_LT(session_->client->HeartbeatAge(), 400ms);
  session_->process->Signal(SIGSTOP);
  std::this_thread::sleep_for(50ms);
  session_->client->HeartbeatAge();
  std::this_thread::sleep_for(800ms);
  EXPECT_GE(session_->client->HeartbeatAge(), 750ms);
}

TEST_F(LiveWorkerTest, StopAndACloseEndAnIdleWorker) {
  ASSERT_TRUE(session_->client->Stop());
  EXPECT_EQ(session_->process->Wait(10s)->ToString(), "exit code 0");
  Restart(Command());
  const auto [status, took] = CloseAndWait();
  EXPECT_EQ(status, "exit code 0");
  EXPECT_LT(took, 1s);
}

TEST_F(LiveWorkerTest, ACloseEndsAWorkerThatHangs) {
  Ready(Prompt("FaultHang"));
  session_->Submit(1, 1);
  std::this_thread::sleep_for(50ms);
  const auto [status, took] = CloseAndWait();
  EXPECT_EQ(status, "exit code 3");
  EXPECT_LT(took, 1s);
}

TEST_F(LiveWorkerTest, ANewHostFindsThePromptApplied) {
  Ready(Prompt("ImageInvert"));
  session_->Submit(1, 1);  // nobody will take its answer
  auto client = WorkerClient::Greet(session_->client->Release());
  ASSERT_TRUE(client);
  session_->client = std::move(*client);
  EXPECT_EQ(session_->Expect<WorkerClient::Welcomed>().revision, 1u);
  auto fresh = FrameRegion::Create({.width = kWidth, .height = kHeight});
  ASSERT_TRUE(session_->client->Attach((*fresh)->layout(), (*fresh)->memory()));
  EXPECT_EQ(session_->Expect<WorkerClient::Attached>().output_width, kWidth);
  std::this_thread::sleep_for(250ms);
  EXPECT_LT(session_->client->HeartbeatAge(), 250ms) << "it beats in the new page";
}

TEST_F(LiveWorkerTest, ABrokenHostIsLeft) {
  auto spawned = SpawnWorker(Command());
  ASSERT_TRUE(spawned);
  ASSERT_TRUE(spawned->socket.Send(protocol::Encode(protocol::Stop{})));
  EXPECT_EQ(spawned->process->Wait(10s)->ToString(), "exit code 4");
  spawned->process->DrainStderr();
  ASSERT_FALSE(spawned->process->stderr_tail().empty());
  EXPECT_THAT(spawned->process->stderr_tail().back(), HasSubstr("before Hello"));
}

TEST_F(LiveWorkerTest, GivesUpWhatItDoesNotNeed) {
  const std::string proc = "/proc/" + std::to_string(session_->process->pid());
  std::stringstream status;
  status << std::ifstream(proc + "/status").rdbuf();
  EXPECT_THAT(status.str(), HasSubstr("NoNewPrivs:\t1"));
  std::stringstream limits;
  limits << std::ifstream(proc + "/limits").rdbuf();
  EXPECT_THAT(limits.str(), testing::ContainsRegex("Max core file size +0 +0"));
  // Of all processes the first that the kernel ends for memory.
  const auto score = [](const std::string& file) {
    int value = 0;
    std::ifstream(file) >> value;
    return value;
  };
  EXPECT_EQ(score(proc + "/oom_score_adj"), std::max(500, score("/proc/self/oom_score_adj")));
}

std::size_t RowThreadsOf(pid_t pid) {
  std::size_t count = 0;
  for (const auto& task :
       std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task")) {
    std::string name;
    std::getline(std::ifstream(task.path() / "comm"), name);
    count += name == "rows" ? 1 : 0;
  }
  return count;
}

TEST_F(LiveWorkerTest, AsManyThreadsAsItIsToldShareAFrame) {
  Ready(Prompt("ImageInvert"));
  EXPECT_EQ(RowThreadsOf(session_->process->pid()), 0U);
  Restart(Command({"--threads", "3"}));
  Ready(Prompt("ImageInvert"));
  session_->Submit(1, 1);
  ExpectFrame(1, Inverted);
  // They name themselves when they first run.
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  while (RowThreadsOf(session_->process->pid()) < 2 && std::chrono::steady_clock::now() < deadline)
    std::this_thread::yield();
  EXPECT_EQ(RowThreadsOf(session_->process->pid()), 2U);
}

int ExitStatusOf(const std::string& arguments) {
  const std::string command = Command().argv.front() + " " + arguments + " >/dev/null 2>&1";
  return WEXITSTATUS(std::system(command.c_str()));
}

TEST_F(LiveWorkerTest, ThreadsHaveBounds) {
  for (const char* threads : {"0", "65", "-1", "many"}) {
    EXPECT_EQ(ExitStatusOf(std::string("--socket-fd 3 --threads ") + threads), 2) << threads;
  }
}

// framelockd asks the command that it starts workers with.
TEST_F(LiveWorkerTest, WhatAWorkerIsToldServesTheListOfNodesToo) {
  EXPECT_EQ(ExitStatusOf("--threads 4 --memory-limit-mb 2000 nodes"), 0);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST_F(LiveWorkerTest, AMemoryLimitFailsFramesInsteadOfTheMachine) {
  Restart(Command({"--memory-limit-mb", "400"}));
  Ready(Prompt("FaultAllocate", R"("megabytes":2000)"));
  session_->Submit(1, 1);
  const auto failed = session_->Complete().first;
  EXPECT_EQ(failed.outcome, FrameOutcome::kFailed);
  EXPECT_THAT(std::string(failed.error.data()), HasSubstr("memory"));
  session_->Apply(2, Prompt("ImageInvert"));
  session_->Submit(2, 2);
  ExpectFrame(2, Inverted);
}
#endif

TEST_F(LiveWorkerTest, DiesWithItsParentsThread) {
  std::unique_ptr<WorkerSession> orphan;
  std::jthread parent([&orphan] {
    auto command = Command();
    command.die_with_parent_thread = true;
    orphan = WorkerSession::Start(command);
    orphan->Expect<WorkerClient::Welcomed>();
  });
  parent.join();
  ASSERT_TRUE(orphan);
  EXPECT_EQ(orphan->process->Wait(10s)->ToString(), "signal 9 (SIGKILL)");
}

std::size_t Entries(const char* folder) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    count += entry.path().empty() ? 0 : 1;
  }
  return count;
}

// Shared mappings only: the allocator makes and merges private ones as it likes.
std::size_t SharedMappings() {
  std::ifstream maps("/proc/self/maps");
  std::size_t count = 0;
  for (std::string line; std::getline(maps, line);) {
    count += line.find("memfd:") != std::string::npos ? 1 : 0;
  }
  return count;
}

TEST_F(LiveWorkerTest, NothingIsLeftOfTwoHundredOfThem) {
  session_.reset();
  const std::size_t fds = Entries("/proc/self/fd");
  const std::size_t threads = Entries("/proc/self/task");
  EXPECT_EQ(SharedMappings(), 0u);
  for (int i = 0; i < 200; ++i) {
    auto session = WorkerSession::Start(Command());
    ASSERT_TRUE(session);
    session->Expect<WorkerClient::Welcomed>();
    if (i % 4 == 0) {
      session->Apply(1, Prompt("ImageInvert"));
      session->Attach({.width = kWidth, .height = kHeight});
      session->Submit(1, 1);
      session->Complete();
    }
    if (i % 2 == 0) {
      ASSERT_TRUE(session->client->Stop());
      EXPECT_EQ(session->process->Wait(10s)->ToString(), "exit code 0");
    }
  }
  EXPECT_EQ(Entries("/proc/self/fd"), fds);
  EXPECT_EQ(Entries("/proc/self/task"), threads);
  EXPECT_EQ(SharedMappings(), 0u);
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

std::unique_ptr<WorkerSession> Bring(const HostLine& line, std::uint32_t hosts) {
  auto socket = line.Add();
  EXPECT_TRUE(socket) << socket.error().message;
  if (!socket) return nullptr;
  auto session = WorkerSession::Join(std::move(*socket));
  session->Expect<WorkerClient::Welcomed>();
  const auto answer = line.Receive();  // it was sent before the Welcome
  EXPECT_TRUE(answer && *answer == hosts);
  return session;
}

TEST_F(LiveWorkerTest, SeveralHostsShareAProcessAndNothingElse) {
  const HostLine line(session_->client->Release());
  auto inverts = Bring(line, 2);
  auto keeps = Bring(line, 3);
  ASSERT_TRUE(inverts && keeps);
  EXPECT_EQ(inverts->client->pid(), session_->process->pid());
  inverts->Apply(1, Prompt("ImageInvert"));
  keeps->Apply(1, Prompt(""));
  for (auto* session : {inverts.get(), keeps.get()}) {
    session->Attach({.width = kWidth, .height = kHeight});
  }
  for (std::uint64_t i = 1; i <= 50; ++i) {
    const auto seed = static_cast<std::uint8_t>(i);
    inverts->Submit(i, seed);
    keeps->Submit(i, seed);
    const auto inverted = inverts->Complete();
    const auto kept = keeps->Complete();
    for (std::size_t at = 0; at < kWidth * kHeight * 3; ++at) {
      const std::byte in = WorkerSession::Pattern(at, seed);
      ASSERT_EQ(inverted.second[at], Inverted(in));
      ASSERT_EQ(kept.second[at], Copied(in));
    }
  }
  EXPECT_LT(keeps->client->HeartbeatAge(), 5s);
  // One leaves, the other goes on; the process stays until the last one has left.
  inverts.reset();
  keeps->Submit(51, 51);
  EXPECT_EQ(keeps->Complete().first.outcome, FrameOutcome::kCompleted);
  const auto process = std::move(session_->process);
  session_.reset();
  EXPECT_FALSE(process->Poll());
  keeps.reset();
  EXPECT_FALSE(process->Wait(100ms)) << "the line that brought them is still open";
}

TEST_F(LiveWorkerTest, ASharedProcessEndsWithItsLastHost) {
  std::optional<HostLine> line(session_->client->Release());
  auto other = Bring(*line, 2);
  ASSERT_TRUE(other);
  line.reset();
  other->Apply(1, Prompt(""));
  ASSERT_TRUE(other->client->Stop());
  EXPECT_EQ(session_->process->Wait(10s)->ToString(), "exit code 0");
}

TEST_F(LiveWorkerTest, AHungNodeHoldsNoProcessThatAllHostsHaveLeft) {
  std::optional<HostLine> line(session_->client->Release());
  auto other = Bring(*line, 2);
  ASSERT_TRUE(other);
  other->Apply(1, Prompt("FaultHang"));
  other->Attach({.width = kWidth, .height = kHeight});
  other->Submit(1, 1);
  other.reset();
  EXPECT_FALSE(session_->process->Wait(600ms)) << "a host is still there";
  line.reset();
  EXPECT_EQ(session_->process->Wait(10s)->ToString(), "exit code 3");
}

// A figure rather than a check: the bound only catches a stall.
TEST_F(LiveWorkerTest, HandOverTakesLittle) {
  session_->Apply(1, Prompt(""));
  session_->Attach({.width = 512, .height = 512});
  LatencyWindow round_trips(400);
  LatencyWindow services(400);
  const auto input = session_->region->AcquireInput();
  const auto output = session_->region->AcquireOutput();
  for (std::uint64_t i = 1; i <= 400; ++i) {
    const auto before = std::chrono::steady_clock::now();
    ASSERT_TRUE(session_->client->Submit({i}, *input, *output));
    const auto completed = session_->Expect<protocol::Completed>();
    round_trips.Add(std::chrono::steady_clock::now() - before);
    services.Add(std::chrono::nanoseconds(completed.service_ns));
  }
  const auto us = [](auto time) {
    return std::chrono::duration_cast<std::chrono::microseconds>(time).count();
  };
  std::cout << "512x512 RGB, empty graph: round trip p50 " << us(round_trips.Percentile(50))
            << " us, p99 " << us(round_trips.Percentile(99)) << " us; of it in the worker p50 "
            << us(services.Percentile(50)) << " us, p99 " << us(services.Percentile(99)) << " us\n";
  EXPECT_LT(round_trips.Percentile(50), 200ms);
}

}  // namespace
}  // namespace framelock::host
