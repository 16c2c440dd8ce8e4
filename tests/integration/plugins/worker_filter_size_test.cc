// SPDX-License-Identifier: Apache-2.0
// The update signal: a prompt and the size of its frames take effect together.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/integration/plugins/worker_filter_rig.h"

namespace framelock::plugins {
namespace {

using namespace std::chrono_literals;
using Rig = FilterRig;

GstStructure* UpdateTo(const std::string& prompt, guint width, guint height) {
  return gst_structure_new("update", "prompt", G_TYPE_STRING, prompt.c_str(), "width", G_TYPE_UINT,
                           width, "height", G_TYPE_UINT, height, nullptr);
}

// Gives frames as a live source does, in the size that the element asks for.
class ObedientSource {
 public:
  explicit ObedientSource(Rig& rig) : rig_(rig) {
    GstPad* pad = gst_element_get_static_pad(rig.element(), "sink");
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_EVENT_UPSTREAM, &ObedientSource::OnEvent, this,
                      nullptr);
    gst_object_unref(pad);
    thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
  }

 private:
  static GstPadProbeReturn OnEvent(GstPad*, GstPadProbeInfo* info, gpointer self) {
    GstEvent* event = GST_PAD_PROBE_INFO_EVENT(info);
    if (!gst_event_has_name(event, "framelock-size")) return GST_PAD_PROBE_OK;
    guint width = 0;
    gst_structure_get_uint(gst_event_get_structure(event), "width", &width);
    static_cast<ObedientSource*>(self)->width_ = static_cast<int>(width);
    gst_event_unref(event);
    return GST_PAD_PROBE_HANDLED;
  }

  void Run(const std::stop_token& stop) {
    for (std::uint32_t n = 0; !stop.stop_requested(); ++n) {
      if (const int width = width_.exchange(0); width != 0) rig_.SetCaps("RGB", width, 48);
      rig_.Push(n);
      std::this_thread::sleep_for(5ms);
    }
  }

  Rig& rig_;
  std::atomic<int> width_ = 0;
  std::jthread thread_;
};

// Sees each frame as it leaves, under the caps of that moment.
class Viewer {
 public:
  explicit Viewer(const Rig& rig) : pad_(gst_element_get_static_pad(rig.element(), "src")) {
    probe_ = gst_pad_add_probe(pad_, GST_PAD_PROBE_TYPE_BUFFER, &Viewer::OnFrame, this, nullptr);
  }
  ~Viewer() {
    gst_pad_remove_probe(pad_, probe_);
    gst_object_unref(pad_);
  }
  Viewer(const Viewer&) = delete;
  Viewer& operator=(const Viewer&) = delete;

  // Those so far, from number `from` on.
  std::vector<Rig::Frame> Frames(std::size_t from = 0) const {
    const std::lock_guard lock(mutex_);
    return {frames_.begin() + static_cast<std::ptrdiff_t>(from), frames_.end()};
  }

 private:
  static GstPadProbeReturn OnFrame(GstPad* pad, GstPadProbeInfo* info, gpointer self) {
    auto* viewer = static_cast<Viewer*>(self);
    GstCaps* caps = gst_pad_get_current_caps(pad);
    const Rig::Frame frame = Rig::Look(GST_PAD_PROBE_INFO_BUFFER(info), caps);
    gst_caps_unref(caps);
    const std::lock_guard lock(viewer->mutex_);
    viewer->frames_.push_back(frame);
    return GST_PAD_PROBE_DROP;
  }

  GstPad* const pad_;
  gulong probe_ = 0;
  mutable std::mutex mutex_;
  std::vector<Rig::Frame> frames_;
};

using Look = std::pair<int, bool>;  // width, inverted

TEST(WorkerFilterSize, ChangesTogetherWithThePrompt) {
  Rig rig({});
  rig.SetCaps("RGB", 64, 48);
  ASSERT_TRUE(rig.WaitReady());
  const Viewer viewer(rig);
  const ObedientSource source(rig);
  ASSERT_TRUE(Rig::Eventually([&] { return rig.Stat("completed") > 5; }));
  std::vector<Look> wanted{{64, true}};
  for (int i = 0; i < 20; ++i) {
    const bool inverts = i % 2 == 1;
    const Look look{inverts ? 64 : 128, inverts};
    // While it loads, frames are sent behind it: the new prompt gets some in the old size.
    const std::string load = Node("FaultLoadSleep", R"("seconds":0.03)");
    const auto result = rig.Update(UpdateTo(inverts ? PromptOf({load, Invert()}) : PromptOf({load}),
                                            static_cast<guint>(look.first), 48));
    ASSERT_TRUE(result.applied) << result.errors;
    wanted.push_back(look);
    const std::size_t answered = viewer.Frames().size();
    ASSERT_TRUE(Rig::Eventually([&] { return viewer.Frames().size() > answered + 10; }));
    for (const Rig::Frame& frame : viewer.Frames(answered)) {
      ASSERT_EQ((Look{frame.width, frame.inverted}), look) << "change " << i;
    }
  }
  std::vector<Look> seen;
  for (const Rig::Frame& frame : viewer.Frames()) {
    const Look look{frame.width, frame.inverted};
    if (seen.empty() || seen.back() != look) seen.push_back(look);
    EXPECT_EQ(frame.pts, frame.number * 33 * GST_MSECOND);
  }
  EXPECT_EQ(seen, wanted);
  EXPECT_EQ(rig.Stat("passed-through"), 0U);
  EXPECT_EQ(rig.Stat("failed"), 0U);
  rig.ExpectAccount();
}

TEST(WorkerFilterSize, ARejectedPromptBringsNoOtherSize) {
  Rig rig({});
  rig.SetCaps("RGB", 64, 48);
  ASSERT_TRUE(rig.WaitReady());
  const ObedientSource source(rig);
  EXPECT_FALSE(rig.Update(UpdateTo(PromptOf({Node("NoSuchNode", "")}), 128, 48)).applied);
  rig.Drain();
  for (int n = 0; n < 10; ++n) {
    const auto frame = rig.Pull();
    ASSERT_TRUE(frame);
    EXPECT_EQ(frame->width, 64);
    EXPECT_TRUE(frame->inverted);
  }
}

// Refuses the event, or says that it takes it and does nothing.
class StubbornUpstream : public testing::TestWithParam<bool> {};

TEST_P(StubbornUpstream, IsGivenUpOnAndTheOldSizeGoesOn) {
  Rig rig({});
  rig.SetCaps("RGB", 64, 48);
  ASSERT_TRUE(rig.WaitReady());
  gst_pad_set_event_function(
      rig.harness()->srcpad,
      GetParam() ? +[](GstPad*, GstObject*, GstEvent* event) -> gboolean {
        gst_event_unref(event);
        return TRUE;
      }
                 : +[](GstPad*, GstObject*, GstEvent* event) -> gboolean {
        gst_event_unref(event);
        return FALSE;
      });
  const Source source(rig, 10ms);
  ASSERT_TRUE(rig.Update(UpdateTo(PromptOf({}), 128, 48)).applied);
  ASSERT_TRUE(Rig::Eventually([&] { return !rig.TextStat("last-error").empty(); }));
  rig.Drain();
  for (int n = 0; n < 10; ++n) {
    const auto frame = rig.Pull();
    ASSERT_TRUE(frame);
    EXPECT_EQ(frame->width, 64);
    EXPECT_FALSE(frame->inverted);
  }
  EXPECT_NE(rig.TextStat("last-error").find("size"), std::string::npos);
  EXPECT_EQ(rig.Stat("passed-through"), 0U);
}

INSTANTIATE_TEST_SUITE_P(WorkerFilterSize, StubbornUpstream, testing::Bool());

TEST(WorkerFilterSize, WhatMakesNoSenseIsRefusedWithItsField) {
  Rig rig({});
  const auto nothing = rig.Update(gst_structure_new_empty("update"));
  EXPECT_FALSE(nothing.applied);
  EXPECT_NE(nothing.errors.find("prompt"), std::string::npos) << nothing.errors;
  const auto half = rig.Update(gst_structure_new("update", "prompt", G_TYPE_STRING, "{}", "width",
                                                 G_TYPE_UINT, 64, nullptr));
  EXPECT_NE(half.errors.find("height"), std::string::npos) << half.errors;
  EXPECT_NE(rig.Update(UpdateTo("{}", 0, 48)).errors.find("width"), std::string::npos);
}

}  // namespace
}  // namespace framelock::plugins
