// SPDX-License-Identifier: Apache-2.0
#include "pipeline/process/child_process.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <thread>

namespace framelock::process {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

SpawnOptions Shell(const std::string& script) { return {.argv = {"sh", "-c", script}}; }

std::unique_ptr<ChildProcess> Start(SpawnOptions options) {
  auto child = ChildProcess::Spawn(options);
  EXPECT_TRUE(child) << child.error().message;
  return child ? std::move(*child) : nullptr;
}

// Polls the pipe as an owner does, until it ends.
std::vector<std::string> AllLines(ChildProcess& child) {
  std::vector<std::string> lines;
  const auto keep = [&lines](const std::string& line) { lines.push_back(line); };
  while (child.DrainStderr(keep)) {
    pollfd readable{.fd = child.stderr_fd(), .events = POLLIN, .revents = 0};
    ::poll(&readable, 1, 10'000);
  }
  return lines;
}

int OpenFds() {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    count += entry.path().empty() ? 0 : 1;
  }
  return count;
}

// Gone, or a zombie that its new parent has not reaped yet.
bool IsRunning(pid_t pid) {
  UniqueFd stat(::open(("/proc/" + std::to_string(pid) + "/stat").c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 512> text{};
  if (!stat || ::read(stat.get(), text.data(), text.size() - 1) <= 0) return false;
  const std::string line(text.data());
  return line.compare(line.rfind(')') + 2, 1, "Z") != 0;
}

TEST(ChildProcess, ExitCodeAndSignalAreTold) {
  auto exits = Start(Shell("exit 7"));
  auto status = exits->Wait(10s);
  ASSERT_TRUE(status);
  EXPECT_EQ(status->ToString(), "exit code 7");
  auto crashes = Start(Shell("kill -SEGV $$"));
  status = crashes->Wait(10s);
  ASSERT_TRUE(status);
  EXPECT_EQ(status->ToString(), "signal 11 (SIGSEGV)");
  EXPECT_EQ(crashes->Poll()->code, SIGSEGV) << "the same answer again";
}

TEST(ChildProcess, AMissingProgramIsAClearError) {
  auto child = ChildProcess::Spawn({.argv = {"framelock-no-such-program"}});
  ASSERT_FALSE(child);
  EXPECT_EQ(child.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(child.error().message, HasSubstr("framelock-no-such-program"));
  EXPECT_FALSE(ChildProcess::Spawn({}));
}

TEST(ChildProcess, OnlyTheListedDescriptorsReachIt) {
  // Leaks on purpose, without close-on-exec, low and high.
  const UniqueFd low(::open("/dev/zero", O_RDONLY));
  const UniqueFd high(::fcntl(low.get(), F_DUPFD, 700));
  ASSERT_TRUE(low && high);
  auto options = Shell("ls /proc/self/fd >&2");
  options.inherit_fds = {{low.get(), 5}, {high.get(), 3}};
  auto child = Start(std::move(options));
  // ls itself holds one more for the listing: the lowest free number, which is 4.
  EXPECT_THAT(AllLines(*child), ElementsAre("0", "1", "2", "3", "4", "5"));
}

TEST(ChildProcess, DescriptorsMayTradePlaces) {
  // In the child 110 and 111 are wanted crosswise.
  const UniqueFd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const UniqueFd zero(::open("/dev/zero", O_RDONLY | O_CLOEXEC));
  ASSERT_EQ(::dup3(null.get(), 110, O_CLOEXEC), 110);
  ASSERT_EQ(::dup3(zero.get(), 111, O_CLOEXEC), 111);
  const UniqueFd at110(110);
  const UniqueFd at111(111);
  auto options = Shell("readlink /proc/self/fd/110 /proc/self/fd/111 /proc/self/fd/112 >&2");
  options.inherit_fds = {{110, 111}, {111, 110}, {110, 112}};
  auto child = Start(std::move(options));
  EXPECT_THAT(AllLines(*child), ElementsAre("/dev/zero", "/dev/null", "/dev/null"));
  auto same = Shell("readlink /proc/self/fd/110 >&2");
  same.inherit_fds = {{110, 110}};
  child = Start(std::move(same));
  EXPECT_THAT(AllLines(*child), ElementsAre("/dev/null"));
}

TEST(ChildProcess, BadDescriptorListsAreRefused) {
  auto options = Shell("true");
  options.inherit_fds = {{0, 3}, {1, 3}};
  EXPECT_FALSE(ChildProcess::Spawn(options));
  options.inherit_fds = {{999, 3}};
  EXPECT_FALSE(ChildProcess::Spawn(options));
  options.inherit_fds = {{0, -1}};
  EXPECT_FALSE(ChildProcess::Spawn(options));
}

TEST(ChildProcess, MayHaveALowerOpenFileLimitThanWe) {
  // It is set after the start, from outside.
  auto options = Shell(
      "i=0; until [ $(ulimit -Sn) = 123 ] || [ $i = 500 ]; do sleep 0.01; i=$((i+1)); done; "
      "ulimit -Sn >&2; ulimit -Hn >&2");
  options.open_file_limit = 123;
  auto child = Start(std::move(options));
  rlimit ours{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &ours), 0);
  EXPECT_THAT(AllLines(*child), ElementsAre("123", std::to_string(ours.rlim_max)));
}

TEST(ChildProcess, SignalsArriveAtTheirDefaults) {
  sigset_t blocked;
  sigset_t before;
  ::sigemptyset(&blocked);
  ::sigaddset(&blocked, SIGTERM);
  ASSERT_EQ(::pthread_sigmask(SIG_BLOCK, &blocked, &before), 0);
  auto* old_pipe = ::signal(SIGPIPE, SIG_IGN);
  auto child = Start(Shell("grep -E 'Sig(Blk|Ign)' /proc/self/status >&2"));
  ::signal(SIGPIPE, old_pipe);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  const auto lines = AllLines(*child);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0], "SigBlk:\t0000000000000000");
  // The C library keeps 32 and 33, its own, ignored until it needs them.
  const auto ignored = std::stoull(lines[1].substr(lines[1].find('\t')), nullptr, 16);
  EXPECT_EQ(ignored & ~0x180000000ULL, 0u) << lines[1];
}

TEST(ChildProcess, TheEnvironmentIsExtended) {
  auto options = Shell("echo $FRAMELOCK_TEST $HOME >&2");
  options.extra_env = {{"FRAMELOCK_TEST", "one two"}, {"HOME", "/elsewhere"}};
  auto child = Start(std::move(options));
  EXPECT_THAT(AllLines(*child), ElementsAre("one two /elsewhere"));
}

TEST(ChildProcess, StderrKeepsABoundedTail) {
  auto options = Shell(
      "i=0; while [ $i -lt 500 ]; do echo line $i >&2; i=$((i+1)); done; "
      "head -c 100000 /dev/zero | tr '\\0' x >&2");
  options.stderr_tail_lines = 3;
  auto child = Start(std::move(options));
  EXPECT_EQ(AllLines(*child).size(), 501u);
  const auto tail = child->stderr_tail();
  ASSERT_EQ(tail.size(), 3u);
  EXPECT_EQ(tail[1], "line 499");
  EXPECT_EQ(tail[2].size(), ChildProcess::kMaxLineBytes);
  EXPECT_EQ(child->stderr_fd(), -1);
}

TEST(ChildProcess, AFloodOfStderrDoesNotHoldUpItsParent) {
  auto child = Start(Shell("while :; do echo flood >&2; done"));
  for (int i = 0; i < 20; ++i) {
    const auto before = std::chrono::steady_clock::now();
    EXPECT_TRUE(child->DrainStderr());
    EXPECT_LT(std::chrono::steady_clock::now() - before, 2s);
  }
}

TEST(ChildProcess, TermIsEnoughForAWellBehavedChild) {
  auto child = Start(Shell("exec sleep 1000"));
  child->Signal(SIGTERM);
  const auto status = child->Wait(5s);
  ASSERT_TRUE(status);
  EXPECT_EQ(status->ToString(), "signal 15 (SIGTERM)");
}

TEST(ChildProcess, AStubbornChildAndItsGrandchildAreKilled) {
  auto child =
      Start(Shell("trap '' TERM; sh -c \"trap '' TERM; echo \\$\\$ >&2; "
                  "while :; do sleep 1; done\" & wait; while :; do sleep 1; done"));
  pid_t grandchild = 0;
  while (grandchild == 0) {
    ASSERT_TRUE(child->DrainStderr(
        [&grandchild](const std::string& line) { grandchild = std::stoi(line); }));
    std::this_thread::sleep_for(5ms);
  }
  ASSERT_TRUE(IsRunning(grandchild));
  child->Signal(SIGTERM);
  EXPECT_FALSE(child->Wait(200ms));
  child->Kill();
  const auto status = child->Wait(5s);
  ASSERT_TRUE(status);
  EXPECT_EQ(status->ToString(), "signal 9 (SIGKILL)");
  for (int i = 0; i < 400 && IsRunning(grandchild); ++i) std::this_thread::sleep_for(5ms);
  EXPECT_FALSE(IsRunning(grandchild));
}

TEST(ChildProcess, WhatAChildLeavesBehindEndsWithIt) {
  auto child = Start(Shell("sleep 1000 & echo $! >&2"));
  ASSERT_TRUE(child->Wait(10s));
  const auto lines = AllLines(*child);
  ASSERT_EQ(lines.size(), 1u);
  const pid_t orphan = std::stoi(lines[0]);
  for (int i = 0; i < 400 && IsRunning(orphan); ++i) std::this_thread::sleep_for(5ms);
  EXPECT_FALSE(IsRunning(orphan));
}

TEST(ChildProcess, AStoppedChildCanBeKilled) {
  auto child = Start(Shell("exec sleep 1000"));
  child->Signal(SIGSTOP);
  EXPECT_FALSE(child->Wait(50ms));
  child->Kill();
  const auto status = child->Wait(5s);
  ASSERT_TRUE(status);
  EXPECT_EQ(status->ToString(), "signal 9 (SIGKILL)");
}

TEST(ChildProcess, ThePidfdTellsTheEnd) {
  auto child = Start(Shell("exec sleep 1000"));
  pollfd ended{.fd = child->fd(), .events = POLLIN, .revents = 0};
  EXPECT_EQ(::poll(&ended, 1, 0), 0);
  EXPECT_FALSE(child->Poll());
  child->Kill();
  EXPECT_EQ(::poll(&ended, 1, 10'000), 1);
  EXPECT_TRUE(child->Poll());
  child->Kill();
  child->Signal(SIGTERM);
}

TEST(ChildProcess, NothingIsLeftOfHundredOfThem) {
  Start(Shell("true"))->Wait(10s);
  const int before = OpenFds();
  for (int i = 0; i < 100; ++i) {
    auto child = Start({.argv = {"sleep", "1000"}});
    ASSERT_TRUE(child);
  }
  EXPECT_EQ(OpenFds(), before);
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD) << "no child, and no zombie";
}

TEST(OwnDirectory, IsWhereThisTestLies) {
  EXPECT_TRUE(std::filesystem::exists(OwnDirectory() + "/process_integration_test"));
}

}  // namespace
}  // namespace framelock::process
