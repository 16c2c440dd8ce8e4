// SPDX-License-Identifier: Apache-2.0
// What workerfilter does when its worker dies, hangs, lies, fails or is slow.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <chrono>

#include "tests/integration/plugins/worker_filter_rig.h"
#include "workers/host/worker_process.h"

namespace framelock::plugins {
namespace {

using namespace std::chrono_literals;
using Rig = FilterRig;

// Watches what comes out while something goes wrong.
class Watch {
 public:
  explicit Watch(Rig& rig) : rig_(rig) {}

  // Looks until `done` says so about a frame; false: not within the time.
  bool Until(const std::function<bool(const Rig::Frame&)>& done, std::chrono::milliseconds limit) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (std::chrono::steady_clock::now() < end) {
      const auto frame = rig_.Pull(1000);
      if (!frame) return false;
      const auto now = std::chrono::steady_clock::now();
      if (last_) {
        longest_gap_ = std::max(longest_gap_, now - *last_);
        EXPECT_GT(frame->number, number_);
      }
      last_ = now;
      number_ = frame->number;
      EXPECT_EQ(frame->pts, frame->number * 33 * GST_MSECOND);
      if (done(*frame)) return true;
    }
    return false;
  }
  bool UntilProcessed(std::chrono::milliseconds limit) {
    return Until([](const Rig::Frame& frame) { return frame.inverted; }, limit);
  }
  bool UntilSource(std::chrono::milliseconds limit) {
    return Until([](const Rig::Frame& frame) { return !frame.inverted; }, limit);
  }
  void ForgetGap() { longest_gap_ = {}; }
  std::chrono::milliseconds longest_gap() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(longest_gap_);
  }

 private:
  Rig& rig_;
  std::optional<std::chrono::steady_clock::time_point> last_;
  std::chrono::steady_clock::duration longest_gap_{};
  std::uint32_t number_ = 0;
};

class KilledWorker : public testing::TestWithParam<int> {};

TEST_P(KilledWorker, IsReplacedAndTheStreamGoesOn) {
  Rig rig({});
  rig.SetCaps("RGB", 64, 48);
  const Source source(rig, 33ms);
  Watch watch(rig);
  ASSERT_TRUE(watch.UntilProcessed(20s));
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(watch.UntilProcessed(1s));
  watch.ForgetGap();
  const int pid = rig.WorkerPid();
  const auto killed = std::chrono::steady_clock::now();
  ASSERT_EQ(kill(pid, GetParam()), 0);
  const auto lost = rig.WaitMessage("lost", 3000);
  ASSERT_TRUE(lost);
  EXPECT_EQ(lost->pid, pid);
  EXPECT_EQ(lost->reason, GetParam() == SIGSTOP ? "hung" : "closed");
  EXPECT_FALSE(lost->detail.empty());
  ASSERT_TRUE(rig.WaitMessage("ready", 3000));
  rig.Drain();
  ASSERT_TRUE(watch.UntilProcessed(2s));
  EXPECT_LT(std::chrono::steady_clock::now() - killed, 2500ms);
  EXPECT_NE(rig.WorkerPid(), pid);
  EXPECT_EQ(rig.Stat("worker-restarts"), 1U);
  rig.ExpectAccount();
}

TEST_P(KilledWorker, LeavesNoGapInTheOutput) {
  Rig rig({});
  rig.SetCaps("RGB", 64, 48);
  const Source source(rig, 33ms);
  Watch watch(rig);
  ASSERT_TRUE(watch.UntilProcessed(20s));
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(watch.UntilProcessed(1s));
  watch.ForgetGap();
  ASSERT_EQ(kill(rig.WorkerPid(), GetParam()), 0);
  if (GetParam() == SIGSTOP) {
    ASSERT_TRUE(watch.UntilSource(2s));
  }
  ASSERT_TRUE(watch.Until(
      [&](const Rig::Frame& f) { return f.inverted && rig.Stat("worker-restarts") == 1; }, 4s));
  EXPECT_LT(watch.longest_gap(), 500ms);
  rig.ExpectAccount();
}

INSTANTIATE_TEST_SUITE_P(Signals, KilledWorker, testing::Values(SIGKILL, SIGSEGV, SIGSTOP));

TEST(WorkerFilterFault, ACrashingGraphLosesItsFrameAndTheSignalIsNamed) {
  Rig rig({.prompt = PromptOf({Invert(), Node("FaultCrash", R"("signal":11,"after":10)")})});
  rig.SetCaps("RGB", 64, 48);
  const Source source(rig, 20ms);
  const auto lost = rig.WaitMessage("lost", 20'000);
  ASSERT_TRUE(lost);
  EXPECT_EQ(lost->reason, "closed");
  EXPECT_NE(lost->detail.find("SIGSEGV"), std::string::npos) << lost->detail;
  EXPECT_TRUE(Rig::Eventually([&] { return rig.Stat("lost") >= 1; }));
  EXPECT_TRUE(Rig::Eventually([&] { return rig.Stat("completed") > 12; }));
  rig.ExpectAccount();
}

TEST(WorkerFilterFault, AWorkerThatAlwaysCrashesIsGivenUp) {
  Rig rig({.prompt = PromptOf({Node("FaultCrash", R"("signal":6)")})});
  rig.SetCaps("RGB", 64, 48);
  const Source source(rig, 20ms);
  const auto error = rig.WaitMessage("error", 30'000);
  ASSERT_TRUE(error);
  EXPECT_NE(error->detail.find("no worker can be started"), std::string::npos) << error->detail;
  EXPECT_NE(error->detail.find("SIGABRT"), std::string::npos) << error->detail;
  EXPECT_EQ(rig.Stat("worker-restarts"), 5U);
  rig.ExpectAccount();
}

TEST(WorkerFilterFault, ACommandThatCannotBeStartedIsAnError) {
  Rig rig({.play = Rig::Options::Play::kNo});
  g_object_set(rig.element(), "worker-command", "/nonexistent/worker", nullptr);
  gst_element_set_state(rig.element(), GST_STATE_PAUSED);
  const auto error = rig.WaitMessage("error", 30'000);
  ASSERT_TRUE(error);
  EXPECT_NE(error->detail.find("/nonexistent/worker"), std::string::npos) << error->detail;
}

TEST(WorkerFilterFault, AHangingGraphIsReplacedAfterItsDeadline) {
  Rig rig({.prompt = PromptOf({Invert(), Node("FaultHang", R"("after":20)")})});
  rig.SetCaps("RGB", 64, 48);
  const Source source(rig, 33ms);
  Watch watch(rig);
  ASSERT_TRUE(watch.UntilProcessed(20s));
  ASSERT_TRUE(watch.UntilSource(5s));
  ASSERT_TRUE(watch.UntilProcessed(5s));
  EXPECT_LT(watch.longest_gap(), 500ms);
  const auto lost = rig.WaitMessage("lost");
  ASSERT_TRUE(lost);
  EXPECT_EQ(lost->reason, "hung");
  EXPECT_EQ(rig.Stat("lost"), 1U);
  rig.ExpectAccount();
}

TEST(WorkerFilterFault, AGraphOfMoreThanASecondAFrameIsSlowAndNotHung) {
  Rig rig({.prompt = PromptOf({Invert(), Node("FaultSleep", R"("seconds":1.5)")}),
           .properties = "full-policy=block"});
  rig.SetCaps("RGB", 64, 48);
  for (std::uint32_t n = 0; n < 3; ++n) {
    rig.Push(n);
    const auto frame = rig.Pull();
    ASSERT_TRUE(frame) << n;
    EXPECT_EQ(frame->number, n);
    EXPECT_TRUE(frame->inverted);
  }
  EXPECT_EQ(rig.Stat("worker-restarts"), 0U);
  EXPECT_EQ(rig.Stat("completed"), 3U);
  rig.ExpectAccount();
}

// A fast frame may be held up on a busy machine, but a slow one takes longer than any of them may.
TEST(WorkerFilterFault, AFastGraphMayBeReplacedByASlowOne) {
  Rig rig({.properties = "frame-timeout=3000 first-frame-timeout=20000"});
  rig.SetCaps("RGB", 64, 48);
  const Source source(rig, 33ms);
  Watch watch(rig);
  ASSERT_TRUE(watch.UntilProcessed(20s));
  for (int i = 0; i < 70; ++i) ASSERT_TRUE(watch.UntilProcessed(5s));
  ASSERT_TRUE(rig.SetPrompt(PromptOf({Invert(), Node("FaultSleep", R"("seconds":3.5)")})).applied);
  rig.Drain();
  // The first result is late, since its source was shown when nobody knew how long it takes.
  int slow = 0;
  for (int i = 0; i < 600 && slow < 2; ++i) {
    const auto frame = rig.Pull(8000);
    ASSERT_TRUE(frame);
    if (frame->inverted) ++slow;
  }
  EXPECT_EQ(slow, 2);
  EXPECT_EQ(rig.Stat("worker-restarts"), 0U);
  EXPECT_FALSE(rig.WaitMessage("lost", 0));
}

TEST(WorkerFilterFault, ItsLimitsAreProperties) {
  Rig rig({.prompt = PromptOf({Invert(), Node("FaultHang", "")}),
           .properties = "first-frame-timeout=300 frame-timeout=200"});
  rig.SetCaps("RGB", 64, 48);
  ASSERT_TRUE(rig.WaitReady());
  const auto begun = std::chrono::steady_clock::now();
  rig.Push(0);
  const auto lost = rig.WaitMessage("lost", 3000);
  ASSERT_TRUE(lost);
  EXPECT_EQ(lost->reason, "hung");
  const auto took = std::chrono::steady_clock::now() - begun;
  EXPECT_GE(took, 300ms);
  EXPECT_LT(took, 3s) << "and not the default";
}

TEST(WorkerFilterFault, AWrongSequenceIsAProtocolErrorAndPublishesNothing) {
  Rig rig({.prompt = PromptOf({Invert(), Node("FaultWrongSequence", R"("after":5)")})});
  rig.SetCaps("RGB", 64, 48);
  const Source source(rig, 20ms);
  Watch watch(rig);
  const auto lost = rig.WaitMessage("lost", 20'000);
  ASSERT_TRUE(lost);
  EXPECT_EQ(lost->reason, "protocol");
  ASSERT_TRUE(watch.UntilProcessed(5s));  // and every frame matched its time
  ASSERT_TRUE(rig.WaitMessage("lost", 5000));
  rig.ExpectAccount();
}

TEST(WorkerFilterFault, AFailedFrameIsReplacedByItsSource) {
  Rig rig({.prompt = PromptOf({Invert(), Node("FaultError", R"("text":"out of paint","after":3)")}),
           .properties = "full-policy=block"});
  rig.SetCaps("RGB", 64, 48);
  for (std::uint32_t n = 0; n < 10; ++n) {
    rig.Push(n);
    const auto frame = rig.Pull();
    ASSERT_TRUE(frame);
    EXPECT_EQ(frame->number, n);
    EXPECT_EQ(frame->inverted, n < 3);
  }
  EXPECT_EQ(rig.Stat("failed"), 7U);
  EXPECT_EQ(rig.Stat("passed-through"), 7U);
  EXPECT_NE(rig.TextStat("last-error").find("out of paint"), std::string::npos);
  rig.ExpectAccount();
}

TEST(WorkerFilterFault, RepeatShowsTheLastResultWhileTheWorkerIsAway) {
  Rig rig({.prompt = PromptOf({Invert(), Node("FaultError", R"("text":"no","after":3)")}),
           .properties = "full-policy=block on-missing=repeat"});
  rig.SetCaps("RGB", 64, 48);
  for (std::uint32_t n = 0; n < 10; ++n) {
    rig.Push(n);
    const auto frame = rig.Pull();
    ASSERT_TRUE(frame);
    EXPECT_TRUE(frame->inverted);
    EXPECT_EQ(frame->number, std::min(n, 2U));
    EXPECT_EQ(frame->pts, n * 33 * GST_MSECOND);
  }
  EXPECT_EQ(rig.Stat("repeated"), 7U);
}

TEST(WorkerFilterFault, ASlowWorkerSkipsAndAccounts) {
  Rig rig({.prompt = PromptOf({Invert(), Node("FaultSleep", R"("seconds":0.05)")})});
  rig.SetCaps("RGB", 64, 48);
  ASSERT_TRUE(rig.WaitReady());
  std::vector<Rig::Frame> frames;
  {
    const Source source(rig, 10ms);
    Watch watch(rig);
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(watch.UntilProcessed(3s));
  }
  ASSERT_TRUE(Rig::Eventually([&] { return rig.Stat("open") == 0; }));
  EXPECT_GT(rig.Stat("skipped"), 40U);
  EXPECT_GE(rig.Stat("completed"), 20U);
  EXPECT_LE(rig.Stat("latency-p50-us"), 150'000U);
  rig.ExpectAccount();
}

// Lends workers as the daemon does.
int Lend(Rig& rig, std::vector<std::unique_ptr<process::ChildProcess>>& lent) {
  const auto words = host::SplitCommandLine(Rig::WorkerCommand(""));
  auto spawned = host::SpawnWorker({.argv = *words});
  EXPECT_TRUE(spawned.ok());
  g_object_set(rig.element(), "worker-fd", spawned->socket.release().release(), nullptr);
  lent.push_back(std::move(spawned->process));
  return lent.back()->pid();
}

TEST(WorkerFilterFault, LentWorkersAreReportedLostAndReplacedByTheLender) {
  std::vector<std::unique_ptr<process::ChildProcess>> lent;
  Rig rig({.worker = Rig::Options::Worker::kLent});
  rig.SetCaps("RGB", 64, 48);
  const Source source(rig, 33ms);
  Watch watch(rig);
  ASSERT_TRUE(watch.UntilSource(2s));  // nobody is there yet, the stream runs all the same
  const int first = Lend(rig, lent);
  const auto ready = rig.WaitMessage("ready");
  ASSERT_TRUE(ready);
  EXPECT_EQ(ready->pid, first);
  ASSERT_TRUE(watch.UntilProcessed(5s));
  lent[0]->Kill();
  const auto lost = rig.WaitMessage("lost");
  ASSERT_TRUE(lost);
  EXPECT_EQ(lost->reason, "closed");
  EXPECT_EQ(lost->pid, first);
  rig.Drain();
  ASSERT_TRUE(watch.UntilSource(2s));
  EXPECT_EQ(rig.TextStat("worker-state"), "none");
  Lend(rig, lent);
  ASSERT_TRUE(watch.UntilProcessed(5s));
  // Replaced at once, and no second one is asked for.
  const int third = Lend(rig, lent);
  ASSERT_TRUE(Rig::Eventually([&] { return rig.WorkerPid() == third; }));
  ASSERT_TRUE(watch.UntilProcessed(5s));
  EXPECT_FALSE(rig.WaitMessage("lost", 100));
  EXPECT_TRUE(lent[1]->Wait(3s).has_value());
  EXPECT_LT(watch.longest_gap(), 500ms);
  EXPECT_EQ(rig.Stat("worker-restarts"), 0U);
  rig.ExpectAccount();
}

}  // namespace
}  // namespace framelock::plugins
