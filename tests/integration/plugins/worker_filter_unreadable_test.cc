// SPDX-License-Identifier: Apache-2.0
// Frames whose pixels workerfilter cannot read.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>

#include "tests/integration/plugins/worker_filter_downstream.h"
#include "tests/integration/plugins/worker_filter_rig.h"

namespace framelock::plugins {
namespace {

using namespace std::chrono_literals;
using Rig = FilterRig;

void PushUnreadable(Rig& rig) {
  gst_harness_push(rig.harness(), gst_buffer_new_allocate(nullptr, 10, nullptr));
}

TEST(WorkerFilterUnreadable, AFrameThatCannotBeReadFailsAndHoldsNobodyUp) {
  Rig rig({.properties = "full-policy=block on-missing=gap"});
  rig.SetCaps("RGB", 64, 48);
  ASSERT_TRUE(rig.WaitReady());
  PushUnreadable(rig);
  gst_harness_push_event(rig.harness(), gst_event_new_eos());
  const auto event = rig.PullEvent(GST_EVENT_EOS, 3000);
  ASSERT_TRUE(event);
  gst_event_unref(*event);
  EXPECT_EQ(rig.Stat("failed"), 1U);
  EXPECT_EQ(rig.Stat("open"), 0U);
  EXPECT_NE(rig.TextStat("last-error").find("cannot be read"), std::string::npos);
  rig.ExpectAccount();
}

TEST(WorkerFilterUnreadable, FramesDoNotPileUpBeforeABlockedDownstream) {
  GatedDownstream downstream;
  Rig rig({.properties = "full-policy=block max-in-flight=2"});
  downstream.Put(rig.element());
  rig.SetCaps("RGB", 64, 48);
  ASSERT_TRUE(rig.WaitReady());
  rig.Push(0);
  ASSERT_TRUE(Rig::Eventually([&] { return downstream.entered == 1; }));
  std::jthread source([&] {
    for (int i = 0; i < 50; ++i) PushUnreadable(rig);
  });
  EXPECT_FALSE(Rig::Eventually([&] { return rig.Stat("inputs") > 5; }, 300))
      << "three to be published and one that waits, behind the one that is pushed";
  downstream.permits.release(1000);
  EXPECT_TRUE(Rig::Eventually([&] { return rig.Stat("pushed") == 51; }));
  EXPECT_EQ(rig.Stat("failed"), 50U);
  EXPECT_EQ(rig.Stat("passed-through"), 50U);
  rig.ExpectAccount();
}

// The warnings about failed frames, and how many frames they speak of.
struct Warnings {
  std::atomic<int> lines = 0;
  std::atomic<int> frames = 0;

  Warnings() {
    gst_debug_set_active(TRUE);
    gst_debug_set_threshold_for_name("workerfilter", GST_LEVEL_WARNING);
    gst_debug_add_log_function(OnLine, this, nullptr);
  }
  ~Warnings() {
    gst_debug_remove_log_function_by_data(this);
    gst_debug_unset_threshold_for_name("workerfilter");
  }
  static void OnLine(GstDebugCategory*, GstDebugLevel, const gchar*, const gchar*, gint, GObject*,
                     GstDebugMessage* message, gpointer user_data) {
    const std::string text = gst_debug_message_get(message);
    if (text.find("frames failed, the last one") == std::string::npos) return;
    auto* warnings = static_cast<Warnings*>(user_data);
    ++warnings->lines;
    warnings->frames += std::atoi(text.c_str());
  }
};

TEST(WorkerFilterUnreadable, ABlockedDownstreamIsNotFollowedByAWarningForEachSecond) {
  GatedDownstream downstream;
  Rig rig({.properties = "on-missing=gap"});
  downstream.Put(rig.element());
  rig.SetCaps("RGB", 64, 48);
  ASSERT_TRUE(rig.WaitReady());
  rig.Push(0);
  ASSERT_TRUE(Rig::Eventually([&] { return downstream.entered == 1; }));
  Warnings warnings;
  for (int i = 0; i < 3; ++i) {
    PushUnreadable(rig);
    std::this_thread::sleep_for(1100ms);
  }
  EXPECT_EQ(rig.Stat("failed"), 3U);
  EXPECT_EQ(warnings.lines, 0);
  downstream.permits.release(1000);
  EXPECT_TRUE(Rig::Eventually([&] { return warnings.frames == 3; }));
  EXPECT_EQ(warnings.lines, 1);
}

}  // namespace
}  // namespace framelock::plugins
