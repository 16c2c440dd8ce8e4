// SPDX-License-Identifier: Apache-2.0
// How workerfilter ends when downstream refuses to go on.
#include <gtest/gtest.h>

#include <tuple>

#include "tests/integration/plugins/worker_filter_downstream.h"
#include "tests/integration/plugins/worker_filter_rig.h"

namespace framelock::plugins {
namespace {

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

}  // namespace
}  // namespace framelock::plugins
