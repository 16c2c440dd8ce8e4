// SPDX-License-Identifier: Apache-2.0
// How workerfilter ends when downstream or the worker refuses to go on, and that of its errors, its
// end and a flush none comes at a wrong time.
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <semaphore>
#include <tuple>

#include "tests/integration/plugins/worker_filter_downstream.h"
#include "tests/integration/plugins/worker_filter_rig.h"

namespace framelock::plugins {
namespace {

using namespace std::chrono_literals;
using Rig = FilterRig;

// The end of the stream comes right behind the frame that downstream refuses, or a while later.
class EosAfterRefusal : public testing::TestWithParam<std::tuple<GstFlowReturn, int>> {};

TEST_P(EosAfterRefusal, IsNotSwallowed) {
  const auto [flow, delay_ms] = GetParam();
  Refusal refusal{flow};
  Rig rig({.properties = "full-policy=block"});
  refusal.Put(rig.element());
  rig.SetCaps("RGB", 64, 48);
  ASSERT_TRUE(rig.WaitReady());
  rig.Push(0);
  if (delay_ms > 0) {
    ASSERT_TRUE(Rig::Eventually([&] { return refusal.buffers == 1; }));
    g_usleep(static_cast<gulong>(delay_ms) * 1000);
  }
  gst_harness_push_event(rig.harness(), gst_event_new_eos());
  const auto event = rig.PullEvent(GST_EVENT_EOS, 3000);
  ASSERT_TRUE(event);
  gst_event_unref(*event);
  EXPECT_EQ(rig.WaitMessage("error", 0).has_value(), flow == GST_FLOW_ERROR);
  EXPECT_FALSE(rig.PullEvent(GST_EVENT_EOS, 100)) << "once";
  EXPECT_FALSE(rig.WaitMessage("error", 0)) << "once";
  rig.ExpectAccount();
}

INSTANTIATE_TEST_SUITE_P(Flows, EosAfterRefusal,
                         testing::Combine(testing::Values(GST_FLOW_ERROR, GST_FLOW_EOS),
                                          testing::Values(0, 50)));

// Holds whoever posts an error, until it is let go.
struct HeldError {
  std::binary_semaphore posting{0};
  std::binary_semaphore go{0};

  void Watch(GstBus* bus) { gst_bus_set_sync_handler(bus, OnMessage, this, nullptr); }
  static GstBusSyncReply OnMessage(GstBus*, GstMessage* message, gpointer user_data) {
    auto* held = static_cast<HeldError*>(user_data);
    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
      held->posting.release();
      EXPECT_TRUE(held->go.try_acquire_for(10s));
    }
    return GST_BUS_PASS;
  }
};

TEST(WorkerFilterRefusal, AFlushTakesTheEndOfBeforeItAway) {
  HeldError error;
  Refusal refusal{GST_FLOW_ERROR};
  Rig rig({.prompt = PromptOf({Invert(), Node("FaultSleep", R"("seconds":0.1)")}),
           .properties = "full-policy=block",
           .on_bus = [&](GstBus* bus) { error.Watch(bus); }});
  refusal.Put(rig.element());
  rig.SetCaps("RGB", 64, 48);
  ASSERT_TRUE(rig.WaitReady());
  rig.Push(0);
  gst_harness_push_event(rig.harness(), gst_event_new_eos());  // behind the frame
  ASSERT_TRUE(error.posting.try_acquire_for(5s));
  // The refusal is about to be followed by the end.
  auto flush = std::async(std::launch::async, [&] {
    gst_harness_push_event(rig.harness(), gst_event_new_flush_start());
    gst_harness_push_event(rig.harness(), gst_event_new_flush_stop(TRUE));
  });
  flush.wait_for(300ms);
  error.go.release();
  flush.get();
  EXPECT_FALSE(rig.PullEvent(GST_EVENT_EOS, 200)) << "an end of before the flush";
  // And the next stream runs to its own end.
  refusal.flow = GST_FLOW_OK;
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  gst_harness_push_event(rig.harness(), gst_event_new_segment(&segment));
  ASSERT_EQ(rig.Push(1), GST_FLOW_OK);
  const auto frame = rig.Pull();
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->number, 1U);
  gst_harness_push_event(rig.harness(), gst_event_new_eos());
  const auto event = rig.PullEvent(GST_EVENT_EOS);
  ASSERT_TRUE(event);
  gst_event_unref(*event);
  EXPECT_FALSE(rig.PullEvent(GST_EVENT_EOS, 100)) << "once";
}

TEST(WorkerFilterRefusal, TheEndComesAfterTheError) {
  HeldError error;
  Rig rig({.prompt = PromptOf({Node("NoSuchNode", "")}),
           .on_bus = [&](GstBus* bus) { error.Watch(bus); }});
  ASSERT_TRUE(error.posting.try_acquire_for(20s));
  gst_harness_push_event(rig.harness(), gst_event_new_eos());
  EXPECT_FALSE(rig.PullEvent(GST_EVENT_EOS, 200)) << "the bus does not know yet";
  error.go.release();
  const auto event = rig.PullEvent(GST_EVENT_EOS, 3000);
  ASSERT_TRUE(event);
  gst_event_unref(*event);
  EXPECT_TRUE(rig.WaitMessage("error", 0));
  EXPECT_FALSE(rig.PullEvent(GST_EVENT_EOS, 100)) << "once";
  EXPECT_FALSE(rig.WaitMessage("error", 0)) << "once";
}

}  // namespace
}  // namespace framelock::plugins
