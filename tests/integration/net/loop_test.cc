// SPDX-License-Identifier: Apache-2.0
#include "pipeline/net/loop.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <stdexcept>
#include <thread>

#include "pipeline/core/unique_fd.h"
#include "tests/support/loop_thread.h"

namespace framelock::net {
namespace {

using namespace std::chrono_literals;

// Runs a coroutine to its end on a loop of its own; the test's thread is the loop's.
void RunToEnd(Loop& loop, std::function<Task<>()> make) {
  loop.Spawn([](Loop& on, std::function<Task<>()> body) -> Task<> {
    co_await body();
    on.Stop();
  }(loop, std::move(make)));
  loop.Run();
}

TEST(Loop, PostAndStopFromAnotherThread) {
  Loop loop;
  bool ran = false;
  std::thread other([&] {
    loop.Post([&] { ran = true; });
    loop.Post([&] { loop.Stop(); });
  });
  loop.Run();
  other.join();
  EXPECT_TRUE(ran);
}

TEST(Loop, ExceptionsEndOnlyWhatThrew) {
  Loop loop;
  bool after = false;
  loop.Post([] { throw std::runtime_error("from posted work"); });
  loop.Spawn([]() -> Task<> {
    co_await SleepFor(1ms);
    throw std::runtime_error("from a coroutine");
  }());
  RunToEnd(loop, [&]() -> Task<> {
    co_await SleepFor(20ms);
    after = true;
  });
  EXPECT_TRUE(after);
}

struct Alive {
  explicit Alive(int& counter) : count(counter) { ++count; }
  ~Alive() { --count; }
  Alive(const Alive&) = delete;
  int& count;
};

Task<> HoldForEver(int& alive, Signal& signal) {
  const Alive here(alive);
  co_await signal.Wait();
}

Task<> Nest(int& alive, Signal& signal) {
  const Alive here(alive);
  co_await HoldForEver(alive, signal);
}

TEST(Loop, RunReturnsAfterEveryFrameIsDestroyed) {
  int alive = 0;
  Loop loop;
  Signal signal(loop);
  for (int i = 0; i < 10; ++i) loop.Spawn(Nest(alive, signal));
  loop.Spawn([](int& counter) -> Task<> {
    const Alive here(counter);
    co_await SleepFor(1h);
  }(alive));
  RunToEnd(loop, [&]() -> Task<> {
    co_await SleepFor(10ms);
    EXPECT_EQ(alive, 21);
  });
  EXPECT_EQ(alive, 0);
}

TEST(Loop, FramesThatNeverRanAreDestroyedToo) {
  int alive = 0;
  {
    Loop loop;
    Signal signal(loop);
    loop.Spawn(Nest(alive, signal));
  }
  EXPECT_EQ(alive, 0);
}

TEST(Signal, NotifyWakesAllWhoWaitAndNobodyLater) {
  Loop loop;
  Signal signal(loop);
  int woken = 0;
  for (int i = 0; i < 3; ++i) {
    loop.Spawn([](Signal& on, int& count) -> Task<> {
      co_await on.Wait();
      ++count;
    }(signal, woken));
  }
  RunToEnd(loop, [&]() -> Task<> {
    co_await SleepFor(5ms);
    EXPECT_EQ(woken, 0);
    signal.NotifyAll();
    co_await SleepFor(5ms);
    EXPECT_EQ(woken, 3);
    EXPECT_FALSE(co_await signal.WaitFor(5ms)) << "notifications are not remembered";
  });
}

TEST(Signal, WaitForTellsWhichCameFirst) {
  Loop loop;
  Signal signal(loop);
  RunToEnd(loop, [&]() -> Task<> {
    loop.Post([&] { signal.NotifyAll(); });
    EXPECT_TRUE(co_await signal.WaitFor(1h));
    EXPECT_FALSE(co_await signal.WaitFor(0ms));
    loop.Post([&] { signal.NotifyAll(); });
    EXPECT_TRUE(co_await signal.WaitFor(std::chrono::nanoseconds::max()));
  });
}

TEST(ReadableWatch, ReadyTimeoutAndTwiceOnOneDescriptor) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK), 0);
  const UniqueFd reading(ends[0]);
  const UniqueFd writing(ends[1]);
  Loop loop;
  int woken = 0;
  for (int i = 0; i < 2; ++i) {
    loop.Spawn([](int fd, int& count) -> Task<> {
      ReadableWatch watch(fd);
      const Status status = co_await watch.Wait();
      EXPECT_TRUE(status.ok());
      ++count;
    }(reading.get(), woken));
  }
  RunToEnd(loop, [&]() -> Task<> {
    ReadableWatch watch(reading.get());
    const Status none = co_await watch.Wait(5ms);
    EXPECT_EQ(none.error().code, ErrorCode::kTimeout);
    EXPECT_EQ(::write(writing.get(), "x", 1), 1);
    const Status ready = co_await watch.Wait(1s);
    EXPECT_TRUE(ready.ok());
    co_await SleepFor(5ms);
    EXPECT_EQ(woken, 2);
    ReadableWatch wrong(-1);
    const Status bad = co_await wrong.Wait(1s);
    EXPECT_EQ(bad.error().code, ErrorCode::kInternal);
  });
  EXPECT_NE(::fcntl(reading.get(), F_GETFD), -1) << "the descriptor stays the caller's";
}

// A process that has run out of descriptors still hears its children.
TEST(ReadableWatch, NeedsNoNewDescriptorForEachWait) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK), 0);
  const UniqueFd reading(ends[0]);
  const UniqueFd writing(ends[1]);
  rlimit original{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &original), 0);
  Loop loop;
  RunToEnd(loop, [&]() -> Task<> {
    ReadableWatch watch(reading.get());
    const Status none = co_await watch.Wait(1ms);
    EXPECT_EQ(none.error().code, ErrorCode::kTimeout);
    rlimit used_up = original;
    used_up.rlim_cur = 3;
    EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &used_up), 0);
    EXPECT_EQ(::write(writing.get(), "x", 1), 1);
    const Status ready = co_await watch.Wait(5s);
    EXPECT_TRUE(ready.ok()) << ready.error().message;
    ReadableWatch further(reading.get());
    const Status refused = co_await further.Wait(5s);
    EXPECT_EQ(refused.error().code, ErrorCode::kInternal);
    EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &original), 0);
    const Status again = co_await further.Wait(5s);
    EXPECT_TRUE(again.ok()) << "a watch that could not be registered may be tried again";
  });
}

TEST(ShutdownSignals, CallBackUntilDestroyed) {
  Loop loop;
  std::vector<int> seen;
  RunToEnd(loop, [&]() -> Task<> {
    {
      const ShutdownSignals signals(loop, [&](int number) { seen.push_back(number); });
      ::raise(SIGTERM);
      co_await SleepFor(20ms);
      ::raise(SIGINT);
      co_await SleepFor(20ms);
    }
  });
  EXPECT_EQ(seen, (std::vector<int>{SIGTERM, SIGINT}));
}

}  // namespace
}  // namespace framelock::net
