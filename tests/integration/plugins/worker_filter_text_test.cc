// SPDX-License-Identifier: Apache-2.0
// The text signal.
#include <gtest/gtest.h>

#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "tests/integration/plugins/worker_filter_rig.h"

namespace framelock::plugins {
namespace {

class Texts {
 public:
  explicit Texts(GstElement* filter) {
    g_signal_connect(filter, "text", G_CALLBACK(&Texts::OnText), this);
  }
  std::vector<std::string> Take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(texts_, {});
  }

 private:
  static void OnText(GstElement* /*filter*/, guint64 sequence, guint64 /*pts*/, const gchar* text,
                     gpointer self) {
    auto* texts = static_cast<Texts*>(self);
    const std::lock_guard lock(texts->mutex_);
    texts->texts_.push_back(std::to_string(sequence) + ":" + text);
  }

  std::mutex mutex_;
  std::vector<std::string> texts_;
};

FilterRig::Options Foreign(const std::string& prompt) {
  return {.prompt = prompt, .worker_command = "python3 " FRAMELOCK_FAKE_WORKER};
}

// What is said of sound outlives the frame that brings it.
TEST(WorkerFilterText, OfSoundLeavesWithTheNextResult) {
  FilterRig rig(Foreign(R"({"say":"word"})"));
  Texts texts(rig.element());
  rig.SetCaps("RGB", 64, 48);
  ASSERT_TRUE(rig.WaitReady());
  for (std::uint32_t number = 0; number < 2; ++number) {
    ASSERT_EQ(rig.Push(number), GST_FLOW_OK);
    ASSERT_TRUE(rig.Pull());
  }
  EXPECT_EQ(texts.Take(), (std::vector<std::string>{"1:word", "2:word"}));
}

TEST(WorkerFilterText, WhatAnOlderGraphSaidOfSoundIsNotSaidOfTheNewOnesFrames) {
  FilterRig rig(Foreign(R"({"say":"old","fail":"no result"})"));
  Texts texts(rig.element());
  rig.SetCaps("RGB", 64, 48);
  ASSERT_TRUE(rig.WaitReady());
  ASSERT_EQ(rig.Push(0), GST_FLOW_OK);
  ASSERT_TRUE(rig.Pull());
  ASSERT_EQ(rig.Stat("failed"), 1U);
  ASSERT_TRUE(rig.SetPrompt("{}").applied);
  ASSERT_EQ(rig.Push(1), GST_FLOW_OK);
  const auto frame = rig.Pull();
  ASSERT_TRUE(frame);
  EXPECT_TRUE(frame->inverted);
  EXPECT_EQ(texts.Take(), std::vector<std::string>{});
  EXPECT_EQ(rig.Stat("texts-dropped"), 1U);
}

}  // namespace
}  // namespace framelock::plugins
