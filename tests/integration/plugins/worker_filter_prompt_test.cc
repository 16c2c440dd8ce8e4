// SPDX-License-Identifier: Apache-2.0
// The set-prompt signal and the prompt properties.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <future>
#include <optional>
#include <thread>
#include <utility>

#include "tests/integration/plugins/worker_filter_downstream.h"
#include "tests/integration/plugins/worker_filter_rig.h"

namespace framelock::plugins {
namespace {

using namespace std::chrono_literals;
using Rig = FilterRig;

TEST(WorkerFilterPrompt, NoOlderFrameLeavesAfterTheAnswer) {
  Rig rig({});
  rig.SetCaps("RGB", 64, 48);
  ASSERT_TRUE(rig.WaitReady());
  const Source source(rig, 10ms);
  ASSERT_TRUE(Rig::Eventually([&] { return rig.Stat("completed") > 5; }));
  std::uint64_t revision = rig.Stat("prompt-revision");
  for (int i = 0; i < 20; ++i) {
    const bool inverts = i % 2 == 1;
    const auto before = std::chrono::steady_clock::now();
    const auto result = rig.SetPrompt(inverts ? PromptOf({Invert()}) : PromptOf({}));
    ASSERT_TRUE(result.applied) << result.errors;
    EXPECT_LT(std::chrono::steady_clock::now() - before, 1s);
    EXPECT_GT(result.revision, revision);
    revision = result.revision;
    EXPECT_EQ(result.errors, "");
    EXPECT_EQ(rig.Stat("prompt-revision"), revision);
    rig.Drain();
    for (int n = 0; n < 5; ++n) {
      const auto frame = rig.Pull();
      ASSERT_TRUE(frame);
      ASSERT_EQ(frame->inverted, inverts) << "change " << i << ", frame " << n;
      EXPECT_EQ(frame->pts, frame->number * 33 * GST_MSECOND);
    }
  }
  EXPECT_EQ(rig.Stat("passed-through"), 0U);
  rig.ExpectAccount();
}

TEST(WorkerFilterPrompt, OneCallerGetsManyAnswersInAFrameInterval) {
  Rig rig({});
  rig.SetCaps("RGB", 64, 48);
  ASSERT_TRUE(rig.WaitReady());
  const Source source(rig, 100ms);
  ASSERT_TRUE(Rig::Eventually([&] { return rig.Stat("completed") > 3; }));
  const auto before = std::chrono::steady_clock::now();
  for (int i = 0; i < 30; ++i) {
    const auto result = rig.SetPrompt(i % 2 == 1 ? PromptOf({Invert()}) : PromptOf({}));
    ASSERT_TRUE(result.applied) << result.errors;
  }
  EXPECT_LT(std::chrono::steady_clock::now() - before, 10 * 100ms) << "an answer needs no frame";
  rig.Drain();
  const auto frame = rig.Pull();
  ASSERT_TRUE(frame);
  EXPECT_TRUE(frame->inverted) << "the newest wins";
}

// The worker has applied a new prompt while downstream takes its time with an older frame.
class OldFrameUnderWay : public testing::Test {
 protected:
  explicit OldFrameUnderWay(const std::string& prompt_timeout = "10000")
      : rig_({.properties = "full-policy=block max-in-flight=4 on-missing=gap prompt-timeout=" +
                            prompt_timeout}) {
    downstream_.Put(rig_.element());
    rig_.SetCaps("RGB", 64, 48);
    EXPECT_TRUE(rig_.WaitReady());
    for (std::uint32_t n = 0; n < 5; ++n) rig_.Push(n);
    EXPECT_TRUE(Rig::Eventually([&] { return downstream_.entered == 1; }));
    answer_ = std::async(std::launch::async, [this] { return rig_.SetPrompt(PromptOf({})); });
    std::this_thread::sleep_for(100ms);
    downstream_.permits.release();  // now the prompt is sent
    EXPECT_TRUE(Rig::Eventually([&] { return downstream_.entered == 2; }));
    std::this_thread::sleep_for(200ms);
    downstream_.permits.release();  // now its answer is read
    EXPECT_TRUE(Rig::Eventually([&] { return downstream_.entered == 3; }));
  }
  ~OldFrameUnderWay() override { downstream_.permits.release(1000); }

  bool Answered() { return answer_.wait_for(0s) == std::future_status::ready; }

  GatedDownstream downstream_;
  Rig rig_;
  std::future<Rig::PromptResult> answer_;
};

TEST_F(OldFrameUnderWay, TheAnswerWaitsForIt) {
  std::this_thread::sleep_for(500ms);
  EXPECT_FALSE(Answered());
  downstream_.permits.release(100);
  const auto result = answer_.get();
  EXPECT_TRUE(result.applied) << result.errors;
  const auto before = rig_.Drain().size();
  EXPECT_EQ(before, static_cast<std::size_t>(downstream_.entered));
  EXPECT_GE(before, 3U);
  EXPECT_TRUE(Rig::Eventually([&] { return rig_.Stat("open") == 0; }));
  std::this_thread::sleep_for(100ms);
  EXPECT_EQ(rig_.Drain().size(), 0U) << "nothing of the old prompt comes any more";
}

class OldFrameNeverTaken : public OldFrameUnderWay {
 protected:
  OldFrameNeverTaken() : OldFrameUnderWay("2000") {}
};

TEST_F(OldFrameNeverTaken, IsATimeout) {
  const auto result = answer_.get();
  EXPECT_FALSE(result.applied);
  EXPECT_NE(result.errors.find("timeout"), std::string::npos) << result.errors;
  EXPECT_EQ(downstream_.entered, 3);
}

TEST(WorkerFilterPrompt, ARejectedPromptChangesNothing) {
  Rig rig({.properties = "full-policy=block"});
  rig.SetCaps("RGB", 64, 48);
  ASSERT_TRUE(rig.WaitReady());
  const std::uint64_t revision = rig.Stat("prompt-revision");
  const auto unknown = rig.SetPrompt(PromptOf({Node("NoSuchNode", "")}));
  EXPECT_FALSE(unknown.applied);
  EXPECT_EQ(unknown.revision, revision);
  EXPECT_NE(unknown.errors.find("node_errors"), std::string::npos) << unknown.errors;
  const auto broken = rig.SetPrompt("{");
  EXPECT_FALSE(broken.applied);
  EXPECT_NE(broken.errors.find("error"), std::string::npos) << broken.errors;
  rig.Push(1);
  const auto frame = rig.Pull();
  ASSERT_TRUE(frame);
  EXPECT_TRUE(frame->inverted);
  EXPECT_EQ(rig.Stat("prompt-revision"), revision);
  EXPECT_TRUE(rig.SetPrompt(PromptOf({})).applied);
}

// A prompt that takes its time to load, while frames come and go.
class SlowPrompt : public testing::Test {
 protected:
  void Begin(const std::string& properties, const std::string& seconds) {
    rig_.emplace(Rig::Options{.properties = properties});
    rig_->SetCaps("RGB", 64, 48);
    ASSERT_TRUE(rig_->WaitReady());
    source_.emplace(*rig_, 33ms);
    ASSERT_TRUE(Rig::Eventually([&] { return rig_->Stat("completed") > 10; }));
    rig_->Drain();
    answer_ = std::async(std::launch::async, [this, seconds] {
      return rig_->SetPrompt(PromptOf({Node("FaultLoadSleep", R"("seconds":)" + seconds)}));
    });
  }

  // Frames of the old prompt for so long, each in its time.
  void ExpectFramesFor(std::chrono::milliseconds time) {
    const auto end = std::chrono::steady_clock::now() + time;
    auto last = std::chrono::steady_clock::now();
    std::chrono::steady_clock::duration longest{};
    while (std::chrono::steady_clock::now() < end) {
      const auto frame = rig_->Pull(1000);
      ASSERT_TRUE(frame);
      EXPECT_TRUE(frame->inverted);
      const auto now = std::chrono::steady_clock::now();
      longest = std::max(longest, now - std::exchange(last, now));
    }
    EXPECT_LT(longest, 3 * 33ms);
  }

  std::optional<Rig> rig_;
  std::optional<Source> source_;
  std::future<Rig::PromptResult> answer_;
};

TEST_F(SlowPrompt, FramesGoOnUntilItTakesOver) {
  Begin("", "1.5");
  ExpectFramesFor(1300ms);
  const auto result = answer_.get();
  EXPECT_TRUE(result.applied) << result.errors;
  rig_->Drain();
  const auto frame = rig_->Pull();
  ASSERT_TRUE(frame);
  EXPECT_FALSE(frame->inverted);
  EXPECT_EQ(rig_->Stat("passed-through"), 0U);
  EXPECT_EQ(rig_->Stat("worker-restarts"), 0U);
  rig_->ExpectAccount();
}

TEST_F(SlowPrompt, AWorkerThatDiesOfItIsReplacedAndRunsTheOldOne) {
  Begin("", "30");
  ExpectFramesFor(200ms);
  ASSERT_EQ(kill(rig_->WorkerPid(), SIGKILL), 0);
  const auto result = answer_.get();
  EXPECT_FALSE(result.applied);
  EXPECT_NE(result.errors.find("worker_lost"), std::string::npos) << result.errors;
  ASSERT_TRUE(Rig::Eventually([&] {
    const auto frame = rig_->Pull();
    return frame && frame->inverted && rig_->Stat("worker-restarts") == 1;
  }));
  rig_->ExpectAccount();
}

TEST_F(SlowPrompt, OneThatNeverLoadsEndsItsWorkerThoughFramesGoOn) {
  Begin("load-timeout=500", "30");
  ExpectFramesFor(300ms);
  const auto lost = rig_->WaitMessage("lost", 3000);
  ASSERT_TRUE(lost);
  EXPECT_EQ(lost->reason, "hung");
  EXPECT_NE(lost->detail.find("load-timeout"), std::string::npos) << lost->detail;
  EXPECT_FALSE(answer_.get().applied);
}

TEST(WorkerFilterPrompt, AFreshWorkerIsGivenTheNewestPrompt) {
  Rig rig({});
  rig.SetCaps("RGB", 64, 48);
  ASSERT_TRUE(rig.WaitReady());
  const auto result = rig.SetPrompt(PromptOf({Node("FaultCrash", R"("signal":11,"after":3)")}));
  ASSERT_TRUE(result.applied) << result.errors;
  const Source source(rig, 20ms);
  ASSERT_TRUE(rig.WaitMessage("lost"));
  ASSERT_TRUE(rig.WaitMessage("lost"));  // so the second one runs it as well
  EXPECT_EQ(rig.Stat("prompt-revision"), result.revision);
}

TEST(WorkerFilterPrompt, CallsFromManyThreadsAreAnsweredOneByOne) {
  Rig rig({});
  rig.SetCaps("RGB", 64, 48);
  ASSERT_TRUE(rig.WaitReady());
  const Source source(rig, 10ms);
  std::atomic<int> applied = 0;
  {
    std::vector<std::jthread> callers;
    for (int i = 0; i < 4; ++i) {
      callers.emplace_back([&] {
        for (int n = 0; n < 5; ++n) applied += rig.SetPrompt(PromptOf({Invert()})).applied ? 1 : 0;
      });
    }
  }
  EXPECT_EQ(applied, 20);
}

TEST(WorkerFilterPrompt, AnsweredEvenWithoutFramesOrWorker) {
  Rig rig({.properties = "prompt-timeout=200", .worker = Rig::Options::Worker::kLent});
  const auto result = rig.SetPrompt(PromptOf({}));
  EXPECT_FALSE(result.applied);
  EXPECT_NE(result.errors.find("timeout"), std::string::npos) << result.errors;
  Rig stopped({.play = Rig::Options::Play::kNo});
  EXPECT_NE(stopped.SetPrompt("{}").errors.find("stopped"), std::string::npos);
  Rig idle({});
  EXPECT_TRUE(idle.SetPrompt(PromptOf({})).applied);
}

TEST(WorkerFilterPrompt, AStopEndsTheWaiting) {
  Rig rig({.worker = Rig::Options::Worker::kLent});
  std::jthread caller([&] { EXPECT_FALSE(rig.SetPrompt(PromptOf({})).applied); });
  std::this_thread::sleep_for(50ms);
  const auto before = std::chrono::steady_clock::now();
  gst_element_set_state(rig.element(), GST_STATE_NULL);
  caller.join();
  EXPECT_LT(std::chrono::steady_clock::now() - before, 2s);
}

TEST(WorkerFilterPrompt, ABadPromptPropertyIsAnElementErrorWithTheNodeErrors) {
  Rig rig({.prompt = PromptOf({Node("NoSuchNode", "")})});
  const auto error = rig.WaitMessage("error", 20'000);
  ASSERT_TRUE(error);
  EXPECT_NE(error->detail.find("NoSuchNode"), std::string::npos) << error->detail;
}

TEST(WorkerFilterPrompt, ThePromptFileIsRead) {
  const std::string path = testing::TempDir() + "worker_filter_prompt.json";
  std::ofstream(path) << PromptOf({});
  {
    Rig rig({.properties = "full-policy=block prompt-file=" + path});
    rig.SetCaps("RGB", 64, 48);
    rig.Push(3);
    const auto frame = rig.Pull();
    ASSERT_TRUE(frame);
    EXPECT_FALSE(frame->inverted);
    EXPECT_EQ(rig.Stat("completed"), 1U);
  }
  std::remove(path.c_str());
  Rig missing({.properties = "prompt-file=" + path, .play = Rig::Options::Play::kNo});
  EXPECT_EQ(gst_element_set_state(missing.element(), GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
  const auto error = missing.WaitMessage("error", 100);
  ASSERT_TRUE(error);
  EXPECT_NE(error->detail.find(path), std::string::npos) << error->detail;
}

}  // namespace
}  // namespace framelock::plugins
