// SPDX-License-Identifier: Apache-2.0
#include "workers/host/frame_region.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace framelock::host {
namespace {

using Counts = FrameRegion::Counts;

std::shared_ptr<FrameRegion> Make(FrameRegion::Options options = {}) {
  options.width = 32;
  options.height = 24;
  auto region = FrameRegion::Create(std::move(options));
  EXPECT_TRUE(region) << region.error().message;
  return region ? *region : nullptr;
}

TEST(FrameRegion, SlotsDoNotOverlapAndFillTheRegion) {
  const auto region = Make({.input_slots = 2, .output_slots = 3, .output_slot_bytes = 10'000});
  EXPECT_EQ(region->input(0).size(), 4096u);
  EXPECT_EQ(region->output(0).size(), 12288u);
  EXPECT_EQ(region->input(1).data(), region->input(0).data() + 4096);
  EXPECT_EQ(region->output(0).data(), region->input(1).data() + 4096);
  EXPECT_EQ(region->output(2).data() + 12288,
            region->memory().bytes().data() + region->memory().bytes().size());
  EXPECT_TRUE(region->input(2).empty());
  EXPECT_TRUE(region->output(3).empty());
}

TEST(FrameRegion, RefusesWhatTheProtocolRefuses) {
  EXPECT_FALSE(FrameRegion::Create({.width = 0, .height = 24}));
  EXPECT_FALSE(FrameRegion::Create({.width = 0xFFFFFFFF, .height = 24}));
  EXPECT_FALSE(FrameRegion::Create({.width = 16, .height = 24, .stride = 47}));
  EXPECT_FALSE(FrameRegion::Create({.width = 16, .height = 24, .input_slots = 33}));
  EXPECT_FALSE(FrameRegion::Create({.width = 16384, .height = 16384, .input_slots = 4}));
  const auto tight = FrameRegion::Create(
      {.width = 16, .height = 16, .output_slot_bytes = ~std::uint64_t{0} - 5000});
  ASSERT_FALSE(tight);
  EXPECT_EQ(tight.error().code, ErrorCode::kInvalidArgument);
}

TEST(FrameRegion, ASlotGoesRoundOnce) {
  const auto region = Make({.input_slots = 1, .output_slots = 1});
  ASSERT_EQ(region->AcquireInput(), 0u);
  ASSERT_EQ(region->AcquireOutput(), 0u);
  EXPECT_FALSE(region->AcquireInput()) << "full";
  EXPECT_EQ(region->input_counts(), (Counts{.writing = 1}));
  ASSERT_TRUE(region->MarkSubmitted(0, 0));
  EXPECT_EQ(region->output_counts(), (Counts{.submitted = 1}));
  ASSERT_TRUE(region->MarkDone(0, 0));
  EXPECT_EQ(region->output_counts(), (Counts{.done = 1}));
  ASSERT_TRUE(region->ReleaseOutput(0));
  ASSERT_TRUE(region->ReleaseInput(0));
  EXPECT_EQ(region->input_counts(), (Counts{.free = 1}));
  EXPECT_EQ(region->AcquireInput(), 0u);
}

TEST(FrameRegion, AForbiddenMoveChangesNothing) {
  const auto region = Make({.input_slots = 2, .output_slots = 2});
  EXPECT_FALSE(region->ReleaseInput(0)) << "free already";
  EXPECT_FALSE(region->MarkSubmitted(0, 0)) << "never acquired";
  ASSERT_EQ(region->AcquireInput(), 0u);
  EXPECT_FALSE(region->MarkSubmitted(0, 0)) << "output never acquired";
  EXPECT_EQ(region->input_counts(), (Counts{.free = 1, .writing = 1}));
  ASSERT_EQ(region->AcquireOutput(), 0u);
  EXPECT_FALSE(region->MarkDone(0, 0)) << "not submitted";
  ASSERT_TRUE(region->MarkSubmitted(0, 0));
  EXPECT_FALSE(region->MarkSubmitted(0, 0)) << "twice";
  EXPECT_FALSE(region->ReleaseInput(0)) << "the worker reads it";
  EXPECT_FALSE(region->ReleaseOutput(0)) << "the worker writes it";
  ASSERT_TRUE(region->MarkDone(0, 0));
  EXPECT_FALSE(region->MarkDone(0, 0)) << "twice";
  ASSERT_TRUE(region->ReleaseOutput(0));
  EXPECT_FALSE(region->ReleaseOutput(0)) << "twice";
  EXPECT_FALSE(region->ReleaseOutput(2)) << "no such slot";
  EXPECT_FALSE(region->MarkSubmitted(7, 0)) << "no such slot";
}

TEST(FrameRegion, AnUnsubmittedSlotCanBeGivenBack) {
  const auto region = Make({.input_slots = 1, .output_slots = 1});
  ASSERT_EQ(region->AcquireInput(), 0u);
  EXPECT_TRUE(region->ReleaseInput(0));
  EXPECT_EQ(region->input_counts(), (Counts{.free = 1}));
}

TEST(FrameRegion, ARetiredRegionOnlyEmpties) {
  const auto region = Make({.input_slots = 2, .output_slots = 2});
  ASSERT_EQ(region->AcquireInput(), 0u);
  ASSERT_EQ(region->AcquireOutput(), 0u);
  ASSERT_TRUE(region->MarkSubmitted(0, 0));
  ASSERT_EQ(region->AcquireInput(), 1u);
  region->Retire();
  EXPECT_FALSE(region->AcquireOutput());
  EXPECT_FALSE(region->MarkDone(0, 0)) << "a late answer finds nothing";
  EXPECT_TRUE(region->ReleaseInput(0));
  EXPECT_TRUE(region->ReleaseInput(1));
  EXPECT_TRUE(region->ReleaseOutput(0));
  EXPECT_FALSE(region->ReleaseOutput(0));
  EXPECT_EQ(region->input_counts(), (Counts{.free = 2}));
  EXPECT_FALSE(region->AcquireInput());
}

TEST(FrameRegion, TellsWhenASlotIsFree) {
  int freed = 0;
  FrameRegion* self = nullptr;
  const auto region = Make({.on_free = [&] {
    ++freed;
    // No lock is held: the listener may look at the region.
    EXPECT_EQ(self->input_counts().free, 4u);
  }});
  self = region.get();
  ASSERT_TRUE(region->AcquireInput());
  EXPECT_EQ(freed, 0);
  ASSERT_TRUE(region->ReleaseInput(0));
  EXPECT_EQ(freed, 1);
  EXPECT_FALSE(region->ReleaseInput(0));
  EXPECT_EQ(freed, 1) << "a refused release frees nothing";
}

TEST(FrameRegion, ThreadsNeverShareASlot) {
  const auto region = Make({.input_slots = 3});
  std::array<std::atomic<int>, 3> users{};
  std::atomic<bool> shared{false};
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 2000; ++i) {
        const auto slot = region->AcquireInput();
        if (!slot) continue;
        if (users[*slot].fetch_add(1) != 0) shared = true;
        users[*slot].fetch_sub(1);
        EXPECT_TRUE(region->ReleaseInput(*slot));
      }
    });
  }
  threads.clear();
  EXPECT_FALSE(shared);
  EXPECT_EQ(region->input_counts().free, 3u);
}

}  // namespace
}  // namespace framelock::host
