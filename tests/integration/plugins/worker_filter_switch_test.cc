// SPDX-License-Identifier: Apache-2.0
// The switch-worker signal: a warm worker takes over between two frames.
#include <fcntl.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <memory>
#include <string>
#include <thread>

#include "tests/integration/plugins/worker_filter_rig.h"
#include "tests/support/worker_session.h"

namespace framelock::plugins {
namespace {

using namespace std::chrono_literals;
using Rig = FilterRig;

// A worker with its prompt, and our end of its socket, as the daemon keeps them.
class Warm {
 public:
  explicit Warm(const std::string& prompt, std::uint64_t revision = 1) : prompt_(prompt) {
    const auto words = host::SplitCommandLine(Rig::WorkerCommand("--fault-nodes"));
    session_ = host::WorkerSession::Start({.argv = *words});
    session_->Expect<host::WorkerClient::Welcomed>();
    session_->Apply(revision, prompt);
    socket_ = session_->client->Release();
  }

  [[nodiscard]] int pid() const { return session_->process->pid(); }
  [[nodiscard]] process::ChildProcess& process() const { return *session_->process; }
  // What is given away; ours stays.
  [[nodiscard]] int Lend() const { return ::fcntl(socket_.fd(), F_DUPFD_CLOEXEC, 0); }
  // Greets it again, as whoever lent it does when it has come back.
  [[nodiscard]] std::uint64_t GreetAgain() const {
    auto session = host::WorkerSession::Join(PacketSocket(UniqueFd(Lend())));
    const auto welcomed = session->Expect<host::WorkerClient::Welcomed>();
    session->client->Release();
    return welcomed.revision;
  }

 private:
  std::string prompt_;
  std::unique_ptr<host::WorkerSession> session_;
  PacketSocket socket_;
};

Rig::PromptResult Switch(const Rig& rig, int fd, guint width = 0, guint height = 0) {
  GstStructure* answer = nullptr;
  g_signal_emit_by_name(rig.element(), "switch-worker", fd, width, height, &answer);
  gboolean applied = FALSE;
  guint64 revision = 0;
  gst_structure_get_boolean(answer, "applied", &applied);
  gst_structure_get_uint64(answer, "revision", &revision);
  Rig::PromptResult result{applied != FALSE, revision, gst_structure_get_string(answer, "errors")};
  gst_structure_free(answer);
  return result;
}

class WorkerFilterSwitch : public testing::Test {
 protected:
  void Begin(Rig& rig) const {
    rig.SetCaps("RGB", 64, 48);
    g_object_set(rig.element(), "worker-fd", plain_.Lend(), nullptr);
    ASSERT_TRUE(rig.WaitMessage("ready"));
  }

  const Warm plain_{PromptOf({})};
  const Warm inverting_{PromptOf({Invert()}), 5};
};

TEST_F(WorkerFilterSwitch, ShowsOnTheNextFrameAndLosesNone) {
  Rig rig({.worker = Rig::Options::Worker::kLent});
  Begin(rig);
  const Source source(rig, 10ms);
  ASSERT_TRUE(Rig::Eventually([&] { return rig.Stat("completed") > 5; }));
  for (int i = 0; i < 20; ++i) {
    const bool inverts = i % 2 == 0;
    const Warm& next = inverts ? inverting_ : plain_;
    const Warm& before = inverts ? plain_ : inverting_;
    const auto result = Switch(rig, next.Lend());
    ASSERT_TRUE(result.applied) << result.errors;
    EXPECT_EQ(result.revision, inverts ? 5U : 1U);
    EXPECT_EQ(rig.WorkerPid(), next.pid());
    rig.Drain();
    for (int n = 0; n < 5; ++n) {
      const auto frame = rig.Pull();
      ASSERT_TRUE(frame);
      ASSERT_EQ(frame->inverted, inverts) << "switch " << i << ", frame " << n;
      EXPECT_EQ(frame->pts, frame->number * 33 * GST_MSECOND);
    }
    // The one before lives, with its prompt, and is free to be greeted.
    EXPECT_EQ(before.GreetAgain(), inverts ? 1U : 5U);
  }
  EXPECT_EQ(rig.Stat("passed-through"), 0U);
  EXPECT_EQ(rig.Stat("lost"), 0U);
  rig.ExpectAccount();
  const auto switched = rig.WaitMessage("switched");
  ASSERT_TRUE(switched);
  EXPECT_EQ(switched->pid, inverting_.pid());
}

TEST_F(WorkerFilterSwitch, ASlowFrameOfTheOneBeforeIsWaitedForOrSkipped) {
  // Within the stall time, after which a frame's place would be taken anyway.
  const Warm slow(PromptOf({Node("FaultSleep", R"("seconds":0.1)")}));
  const Warm stuck(PromptOf({Node("FaultSleep", R"("seconds":3)")}));
  Rig rig({.worker = Rig::Options::Worker::kLent});
  Begin(rig);
  ASSERT_TRUE(Switch(rig, slow.Lend()).applied);
  const Source source(rig, 10ms);
  ASSERT_TRUE(Rig::Eventually([&] { return rig.Stat("in-flight") == 1; }));
  const std::uint64_t late = rig.Stat("late");
  ASSERT_TRUE(Switch(rig, inverting_.Lend()).applied);
  EXPECT_EQ(rig.Stat("late"), late) << "it had the time";
  ASSERT_TRUE(Switch(rig, stuck.Lend()).applied);
  ASSERT_TRUE(Rig::Eventually([&] { return rig.Stat("in-flight") == 1; }));
  const auto began = std::chrono::steady_clock::now();
  ASSERT_TRUE(Switch(rig, plain_.Lend()).applied);
  EXPECT_LT(std::chrono::steady_clock::now() - began, 2s);
  EXPECT_EQ(rig.Stat("late"), late + 1);
  rig.Drain();
  const auto frame = rig.Pull();
  ASSERT_TRUE(frame);
  EXPECT_FALSE(frame->inverted);
  rig.ExpectAccount();
}

TEST_F(WorkerFilterSwitch, AnotherOutputSizeIsAttachedBeforehand) {
  const Warm large(
      PromptOf({Node("ImageScaleBy", R"("upscale_method":"bilinear","scale_by":3.0)")}));
  Rig rig({.worker = Rig::Options::Worker::kLent});
  Begin(rig);
  const Source source(rig, 10ms);
  ASSERT_TRUE(Rig::Eventually([&] { return rig.Stat("completed") > 5; }));
  const auto result = Switch(rig, large.Lend());
  ASSERT_TRUE(result.applied) << result.errors;
  const auto pull = [&] {
    GstBuffer* buffer = rig.PullBuffer();
    const gsize bytes = buffer == nullptr ? 0 : gst_buffer_get_size(buffer);
    gst_clear_buffer(&buffer);
    return bytes;
  };
  constexpr gsize kLarge = gsize{192} * 144 * 3;
  ASSERT_TRUE(Rig::Eventually([&] { return pull() == kLarge; }));
  for (int n = 0; n < 5; ++n) EXPECT_EQ(pull(), kLarge);
  EXPECT_EQ(rig.Stat("failed"), 0U);
}

TEST_F(WorkerFilterSwitch, ASizeIsAskedForWithTheWorker) {
  Rig rig({.worker = Rig::Options::Worker::kLent});
  Begin(rig);
  std::atomic<guint> asked = 0;
  GstPad* pad = gst_element_get_static_pad(rig.element(), "sink");
  gst_pad_add_probe(
      pad, GST_PAD_PROBE_TYPE_EVENT_UPSTREAM,
      [](GstPad*, GstPadProbeInfo* info, gpointer to) {
        GstEvent* event = GST_PAD_PROBE_INFO_EVENT(info);
        if (!gst_event_has_name(event, "framelock-size")) return GST_PAD_PROBE_OK;
        guint width = 0;
        gst_structure_get_uint(gst_event_get_structure(event), "width", &width);
        *static_cast<std::atomic<guint>*>(to) = width;
        gst_event_unref(event);
        return GST_PAD_PROBE_HANDLED;
      },
      &asked, nullptr);
  gst_object_unref(pad);
  for (std::uint32_t n = 0; n < 5; ++n) rig.Push(n);
  ASSERT_TRUE(Rig::Eventually([&] { return rig.Stat("completed") > 0; }));
  ASSERT_TRUE(Switch(rig, inverting_.Lend(), 128, 48).applied);
  ASSERT_TRUE(Rig::Eventually([&] { return asked == 128; }));
  rig.Drain();
  // On its way still: the worker that has taken over does not show it.
  rig.Push(10);
  rig.SetCaps("RGB", 128, 48);
  for (std::uint32_t n = 11; n < 16; ++n) {
    rig.Push(n);
    std::this_thread::sleep_for(10ms);
  }
  const auto frame = rig.Pull();
  ASSERT_TRUE(frame);
  EXPECT_GT(frame->number, 10U);
  EXPECT_EQ(frame->width, 128);
  EXPECT_TRUE(frame->inverted);
  EXPECT_FALSE(Switch(rig, plain_.Lend(), 128, 0).applied);
  EXPECT_FALSE(Switch(rig, plain_.Lend(), 20'000, 48).applied);
  EXPECT_EQ(rig.WorkerPid(), inverting_.pid());
}

TEST_F(WorkerFilterSwitch, OneThatIsNotReadyChangesNothing) {
  Rig rig({.properties = "prompt-timeout=1000", .worker = Rig::Options::Worker::kLent});
  Begin(rig);
  const Source source(rig, 10ms);
  ASSERT_TRUE(Rig::Eventually([&] { return rig.Stat("completed") > 5; }));
  inverting_.process().Signal(SIGSTOP);
  auto result = Switch(rig, inverting_.Lend());
  EXPECT_FALSE(result.applied);
  EXPECT_NE(result.errors, "");
  inverting_.process().Kill();
  result = Switch(rig, inverting_.Lend());
  EXPECT_FALSE(result.applied);
  result = Switch(rig, ::open("/dev/null", O_RDONLY | O_CLOEXEC));
  EXPECT_FALSE(result.applied);
  EXPECT_EQ(rig.WorkerPid(), plain_.pid());
  rig.Drain();
  const auto frame = rig.Pull();
  ASSERT_TRUE(frame);
  EXPECT_FALSE(frame->inverted);
  EXPECT_EQ(rig.Stat("lost"), 0U);
  rig.ExpectAccount();
}

TEST_F(WorkerFilterSwitch, TakesOverFromOneThatHasDied) {
  Rig rig({.worker = Rig::Options::Worker::kLent});
  Begin(rig);
  const Source source(rig, 10ms);
  ASSERT_TRUE(Rig::Eventually([&] { return rig.Stat("completed") > 5; }));
  plain_.process().Kill();
  const auto result = Switch(rig, inverting_.Lend());
  ASSERT_TRUE(result.applied) << result.errors;
  ASSERT_TRUE(Rig::Eventually([&] {
    const auto frame = rig.Pull();
    return frame && frame->inverted;
  }));
  rig.ExpectAccount();
}

TEST_F(WorkerFilterSwitch, OnlyWhereWorkersAreLent) {
  Rig rig({});
  rig.SetCaps("RGB", 64, 48);
  ASSERT_TRUE(rig.WaitReady());
  const auto result = Switch(rig, inverting_.Lend());
  EXPECT_FALSE(result.applied);
  EXPECT_EQ(result.errors, "workers are not lent here");
  EXPECT_EQ(inverting_.GreetAgain(), 5U);
}

}  // namespace
}  // namespace framelock::plugins
