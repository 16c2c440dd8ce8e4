// SPDX-License-Identifier: Apache-2.0
#include "workers/host/worker_pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <map>
#include <thread>

#include "tests/support/captured_log.h"
#include "tests/support/fake_clock.h"
#include "workers/protocol/message_codec.h"

namespace framelock::host {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

// The pool over processes that only sleep; the test plays the workers' side of the sockets and the
// clock stands still unless it is moved.
class WorkerPoolTest : public testing::Test {
 protected:
  void Make(WorkerPool::Options options) {
    options.clock = &clock_;
    options.restart.jitter = 0;
    options.spawn = [this](const WorkerCommand&) { return Spawn(); };
    auto pool = WorkerPool::Create(std::move(options));
    ASSERT_TRUE(pool) << pool.error().message;
    pool_ = std::move(*pool);
  }

  Result<SpawnedWorker> Spawn() {
    ++spawns_;
    if (!spawn_error_.empty()) return Error{ErrorCode::kNotFound, spawn_error_};
    auto pair = PacketSocket::CreatePair();
    EXPECT_TRUE(pair);
    auto child = process::ChildProcess::Spawn({.argv = argv_});
    EXPECT_TRUE(child);
    last_pid_ = (*child)->pid();
    far_ends_.emplace(last_pid_, std::move(pair->second));
    return SpawnedWorker{.process = std::move(*child), .socket = std::move(pair->first)};
  }

  void SayWelcome(pid_t pid) {
    const auto& far = far_ends_.at(pid);
    auto packet = far.Receive();
    ASSERT_TRUE(packet && packet->has_value());
    const auto hello = protocol::Decode<protocol::Hello>((*packet)->bytes);
    ASSERT_TRUE(hello);
    protocol::Welcome welcome;
    welcome.pid = pid;
    welcome.greeting = hello->greeting;
    ASSERT_TRUE(far.Send(protocol::Encode(welcome)));
  }

  // Spawned and greeted.
  void MakeSpare() {
    pool_->Tick();
    SayWelcome(last_pid_);
    pool_->Tick();
    ASSERT_EQ(pool_->counts().spare, 1u);
  }

  // The process is dead for sure when this returns.
  void KillAndWait(pid_t pid) {
    ::kill(pid, SIGKILL);
    siginfo_t end{};
    ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(pid), &end, WEXITED | WNOWAIT), 0);
  }

  void After(std::chrono::milliseconds time) {
    clock_.Advance(time);
    pool_->Tick();
  }

  FakeClock clock_;
  std::vector<std::string> argv_ = {"sleep", "1000"};
  std::map<pid_t, PacketSocket> far_ends_;
  int spawns_ = 0;
  pid_t last_pid_ = 0;
  std::string spawn_error_;
  std::unique_ptr<WorkerPool> pool_;
};

TEST_F(WorkerPoolTest, RefusesContradictions) {
  EXPECT_FALSE(WorkerPool::Create({.max_workers = 0}));
  EXPECT_FALSE(WorkerPool::Create({.warm_spares = 3, .max_workers = 2}));
}

TEST_F(WorkerPoolTest, LendsOnlyGreetedWorkersAndMakesANewSpare) {
  Make({});
  EXPECT_EQ(pool_->counts().total(), 0u);
  EXPECT_FALSE(pool_->TryLend()) << "only spawned now";
  EXPECT_EQ(pool_->counts().starting, 1u);
  EXPECT_FALSE(pool_->TryLend());
  EXPECT_EQ(spawns_, 1);
  SayWelcome(last_pid_);
  clock_.Advance(50ms);
  auto lease = pool_->TryLend();
  ASSERT_TRUE(lease);
  EXPECT_TRUE(lease->client->ready());
  EXPECT_EQ(pool_->counts().lent, 1u);
  EXPECT_EQ(pool_->counts().starting, 1u) << "the next spare is being made";
  EXPECT_EQ(pool_->PollFds().size(), 3u) << "of the starting one only";
  pool_->TakeDown(std::move(*lease));
  EXPECT_EQ(pool_->counts().lent, 0u);
}

TEST_F(WorkerPoolTest, LogsOnlySoManyLinesOfAWorkerASecond) {
  const CapturedLog captured;
  argv_ = {"sh", "-c", "i=0; while [ $i -lt 500 ]; do echo flood >&2; i=$((i+1)); done; exit 1"};
  Make({});
  pool_->Tick();
  const auto deadline = std::chrono::steady_clock::now() + 30s;
  while (pool_->counts().total() > 0 && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(1ms);
    pool_->Tick();
  }
  ASSERT_EQ(pool_->counts().total(), 0u);
  const auto lines = captured.lines();
  EXPECT_EQ(
      std::ranges::count_if(lines, [](const auto& line) { return line.ends_with("| flood"); }), 20);
  EXPECT_THAT(lines, testing::Contains(HasSubstr(" 480 lines dropped")));
}

TEST_F(WorkerPoolTest, KeepsApartSpawnsAndTheLimit) {
  Make({.warm_spares = 3, .max_workers = 3});
  pool_->Tick();
  pool_->Tick();
  EXPECT_EQ(spawns_, 1);
  After(49ms);
  EXPECT_EQ(spawns_, 1);
  After(1ms);
  EXPECT_EQ(spawns_, 2);
  After(50ms);
  EXPECT_EQ(spawns_, 3);
  for (const auto& [pid, far] : far_ends_) SayWelcome(pid);
  After(50ms);
  auto one = pool_->TryLend();
  ASSERT_TRUE(one);
  After(50ms);
  EXPECT_EQ(spawns_, 3) << "full";
  EXPECT_EQ(pool_->counts().total(), 3u);
}

TEST_F(WorkerPoolTest, ADeadSpareIsReplacedAfterItsPause) {
  Make({});
  MakeSpare();
  const pid_t first = last_pid_;
  KillAndWait(first);
  pool_->Tick();
  EXPECT_EQ(pool_->counts().spare, 0u);
  After(50ms);
  EXPECT_EQ(spawns_, 2) << "at once the first time";
  EXPECT_THAT(pool_->last_error(), HasSubstr("crashed: signal 9 (SIGKILL)"));
  KillAndWait(last_pid_);
  pool_->Tick();
  After(249ms);
  EXPECT_EQ(spawns_, 2);
  After(1ms);
  EXPECT_EQ(spawns_, 3);
  SayWelcome(last_pid_);
  pool_->Tick();
  EXPECT_EQ(pool_->last_error(), "") << "well again";
}

TEST_F(WorkerPoolTest, ALyingSpareIsReplaced) {
  Make({});
  MakeSpare();
  ASSERT_TRUE(far_ends_.at(last_pid_).Send(protocol::Encode(protocol::PromptApplied{})));
  pool_->Tick();
  EXPECT_EQ(pool_->counts().spare, 0u);
  EXPECT_THAT(pool_->last_error(), HasSubstr("broke the protocol"));
}

TEST_F(WorkerPoolTest, ASpareWithoutHeartbeatIsReplaced) {
  Make({});
  MakeSpare();
  After(1999ms);
  EXPECT_EQ(pool_->counts().spare, 1u);
  After(1ms);
  EXPECT_EQ(pool_->counts().spare, 0u);
  EXPECT_THAT(pool_->last_error(), HasSubstr("heartbeat"));
}

TEST_F(WorkerPoolTest, ASilentWorkerIsNotWaitedForForEver) {
  Make({.greet_deadline = 5s});
  pool_->Tick();
  After(4999ms);
  EXPECT_EQ(pool_->counts().starting, 1u);
  After(1ms);
  EXPECT_THAT(pool_->last_error(), HasSubstr("Welcome"));
}

TEST_F(WorkerPoolTest, GivesUpForAWhileWhenNothingStarts) {
  Make({});
  spawn_error_ = "start framelock-worker: No such file or directory";
  for (int i = 0; i < 200 && !pool_->given_up(); ++i) After(100ms);
  EXPECT_TRUE(pool_->given_up());
  EXPECT_EQ(spawns_, 6) << "one and five restarts";
  EXPECT_THAT(pool_->last_error(), HasSubstr("No such file"));
  EXPECT_EQ(pool_->pause(), 60s);
  After(59s);
  EXPECT_EQ(pool_->pause(), 1s);
  EXPECT_EQ(spawns_, 6);
  spawn_error_.clear();
  After(1s);
  EXPECT_EQ(spawns_, 7);
  EXPECT_FALSE(pool_->given_up());
  EXPECT_FALSE(pool_->pause());
}

TEST_F(WorkerPoolTest, TheLadderIsClimbedStepByStep) {
  argv_ = {"sh", "-c", "trap '' TERM; echo ready >&2; while :; do sleep 1; done"};
  Make({.max_workers = 1});
  MakeSpare();
  auto lease = pool_->TryLend();
  ASSERT_TRUE(lease);
  while (lease->process->stderr_tail().empty()) lease->process->DrainStderr();
  const pid_t pid = lease->process->pid();
  // Its Hello was read by SayWelcome.
  pool_->TakeDown(std::move(*lease));
  auto packet = far_ends_.at(pid).Receive();
  ASSERT_TRUE(packet && packet->has_value());
  EXPECT_TRUE(protocol::Decode<protocol::Stop>((*packet)->bytes));
  After(499ms);
  auto open = far_ends_.at(pid).Receive();
  EXPECT_TRUE(open && !open->has_value()) << "not closed yet";
  After(1ms);
  EXPECT_FALSE(far_ends_.at(pid).Receive()) << "closed, and SIGTERM sent";
  After(999ms);
  EXPECT_EQ(pool_->counts().stopping, 1u) << "it ignores SIGTERM";
  EXPECT_EQ(spawns_, 1) << "its place is still taken";
  After(1ms);
  siginfo_t end{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(pid), &end, WEXITED | WNOWAIT), 0);
  EXPECT_EQ(end.si_status, SIGKILL);
  pool_->Tick();
  EXPECT_EQ(pool_->counts().stopping, 0u);
  EXPECT_EQ(spawns_, 2);
}

TEST_F(WorkerPoolTest, AnEndedChildIsReapedWithoutTheLadder) {
  Make({.max_workers = 1});
  MakeSpare();
  auto lease = pool_->TryLend();
  ASSERT_TRUE(lease);
  KillAndWait(lease->process->pid());
  pool_->TakeDown(std::move(*lease));
  pool_->Tick();
  EXPECT_EQ(pool_->counts().stopping, 0u);
}

TEST_F(WorkerPoolTest, ShutdownLeavesNoProcess) {
  Make({.warm_spares = 2, .ladder = {.cooperative = 20ms, .term = 20ms}});
  MakeSpare();
  After(50ms);
  auto lease = pool_->TryLend();
  ASSERT_TRUE(lease);
  pool_->TakeDown(std::move(*lease));
  pool_->Shutdown();
  EXPECT_EQ(pool_->counts().total(), 0u);
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
  After(1h);
  EXPECT_EQ(pool_->counts().total(), 0u) << "nothing is made any more";
  EXPECT_FALSE(pool_->TryLend());
}

}  // namespace
}  // namespace framelock::host
