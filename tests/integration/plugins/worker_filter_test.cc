// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/integration/plugins/worker_filter_rig.h"

namespace framelock::plugins {
namespace {

using Rig = FilterRig;

void ExpectMatch(const Rig::Frame& frame) { EXPECT_EQ(frame.pts, frame.number * 33 * GST_MSECOND); }

TEST(WorkerFilter, EveryFrameComesBackInvertedUnderItsOwnTime) {
  Rig rig({.properties = "full-policy=block"});
  rig.SetCaps("RGB", 64, 48);
  for (std::uint32_t n = 0; n < 200; ++n) {
    ASSERT_EQ(rig.Push(n), GST_FLOW_OK);
    const auto frame = rig.Pull();
    ASSERT_TRUE(frame) << n;
    ExpectMatch(*frame);
    EXPECT_EQ(frame->number, n);
    EXPECT_TRUE(frame->inverted);
  }
  EXPECT_EQ(rig.Stat("completed"), 200U);
  EXPECT_EQ(rig.Stat("open"), 0U);
  rig.ExpectAccount();
}

TEST(WorkerFilter, NoPixelIsCopiedOnOurSide) {
  Rig rig({.properties = "full-policy=block"});
  rig.SetCaps("RGBA", 64, 48);
  ASSERT_TRUE(rig.WaitReady());
  for (std::uint32_t n = 0; n < 50; ++n) {
    GstBuffer* buffer = rig.PoolBuffer();
    GstMapInfo map;
    ASSERT_TRUE(gst_buffer_map(buffer, &map, GST_MAP_READ));
    EXPECT_TRUE(IsSharedWithWorker(map.data));
    gst_buffer_unmap(buffer, &map);
    gst_buffer_unref(buffer);
    ASSERT_EQ(rig.Push(n), GST_FLOW_OK);
    const auto frame = rig.Pull();
    ASSERT_TRUE(frame);
    EXPECT_TRUE(frame->inverted);
    EXPECT_TRUE(IsSharedWithWorker(frame->pixels));
  }
  EXPECT_EQ(rig.Stat("copied-in"), 0U);
  EXPECT_EQ(rig.Stat("copied-out"), 0U);
  EXPECT_EQ(rig.Stat("completed"), 50U);
}

}  // namespace
}  // namespace framelock::plugins
