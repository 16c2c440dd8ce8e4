// SPDX-License-Identifier: Apache-2.0
// Frames whose pixels workerfilter cannot read.
#include <gtest/gtest.h>

#include <thread>

#include "tests/integration/plugins/worker_filter_downstream.h"
#include "tests/integration/plugins/worker_filter_rig.h"

namespace framelock::plugins {
namespace {

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

}  // namespace
}  // namespace framelock::plugins
