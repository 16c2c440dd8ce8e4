// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/naive_executor.h"
#include "tests/support/random_prompt.h"
#include "workers/graph/executor.h"
#include "workers/nodes/builtin.h"

namespace framelock::graph {
namespace {

constexpr int kGraphs = 2000;
constexpr int kFrames = 4;
constexpr std::uint64_t kPoolBytes = 256U << 20;

class RandomGraphTest : public testing::Test {
 protected:
  std::size_t Below(std::size_t n) { return n == 0 ? 0 : random_() % n; }

  Tensor MakeFrame(std::uint32_t height, std::uint32_t width) {
    Tensor frame = *frames_.Allocate({1, height, width, 3});
    for (std::size_t i = 0; i < frame.size(); ++i) {
      frame.mutable_data()[i] = static_cast<float>(Below(256)) / 255.0F;
    }
    return frame;
  }

  Tensor CopyOf(const Tensor& frame, TensorPool& pool) {
    Tensor copy = *pool.Allocate(frame.shape());
    std::memcpy(copy.mutable_data(), frame.data(), frame.size() * sizeof(float));
    return copy;
  }

  // Runs some frames both ways; counts the frames that came out.
  void Compare(const Prompt& prompt, const Verdict& verdict) {
    test::NaiveExecutor naive(registry_, prompt, verdict, kPoolBytes);
    TensorPool pool(kPoolBytes);
    FaultHooks faults;
    Executor executor(Plan::Make(registry_, prompt, verdict), pool, faults);
    const bool loads = !executor.Load();
    for (int i = 0; i < kFrames; ++i) {
      const Tensor frame = i == 2 ? MakeFrame(7, 12) : MakeFrame(9, 8);
      const auto wanted = naive.Run(frame);
      if (!loads) {
        // What needs no frame fails when the prompt is taken.
        EXPECT_FALSE(wanted);
        continue;
      }
      const auto failure = executor.Run(CopyOf(frame, pool), FrameUse::kShown);
      ASSERT_EQ(failure.has_value(), !wanted.has_value())
          << (failure ? failure->ToString() : naive.failure());
      for (std::size_t sink = 0; wanted && sink < wanted->size(); ++sink) {
        ExpectSameBits(executor.result(sink), (*wanted)[sink]);
        ++compared_;
      }
    }
  }

  static void ExpectSameBits(const Tensor& got, const Tensor& wanted) {
    ASSERT_EQ(got.valid(), wanted.valid());
    if (wanted.valid()) {
      ASSERT_EQ(got.shape(), wanted.shape());
      ASSERT_EQ(std::memcmp(got.data(), wanted.data(), wanted.size() * sizeof(float)), 0);
    }
  }

  std::mt19937_64 random_{20240229};
  NodeRegistry registry_ = std::move(*nodes::BuiltinNodes());
  test::RandomPrompt prompts_{registry_, [this](std::size_t n) { return Below(n); }};
  TensorPool frames_{1U << 20};
  int compared_ = 0;
};

TEST_F(RandomGraphTest, ThePlanComputesWhatThePromptMeans) {
  for (int i = 0; i < kGraphs; ++i) {
    const Json made = prompts_.Make(2 + Below(12));
    SCOPED_TRACE(made.dump());
    Result<Prompt> prompt = Prompt::Parse(made.dump());
    ASSERT_TRUE(prompt.ok());
    const Verdict verdict = Validate(registry_, *prompt);
    ASSERT_TRUE(verdict.valid) << verdict.ToJson();
    Compare(*prompt, verdict);
    if (HasFatalFailure() || HasNonfatalFailure()) {
      return;
    }
  }
  // Most graphs run to the end.
  EXPECT_GT(compared_, kGraphs * kFrames);
}

TEST_F(RandomGraphTest, ADamagedPromptIsRefusedOrComputesWhatItMeans) {
  int refused = 0;
  for (int i = 0; i < kGraphs; ++i) {
    Json made = prompts_.Make(2 + Below(12));
    for (std::size_t damage = 0; damage < 1 + Below(4); ++damage) {
      prompts_.Damage(made);
    }
    SCOPED_TRACE(made.dump());
    Result<Prompt> prompt = Prompt::Parse(made.dump());
    if (!prompt.ok()) {
      ++refused;
      continue;
    }
    const Verdict verdict = Validate(registry_, *prompt);
    if (verdict.valid) {
      Compare(*prompt, verdict);
    } else {
      EXPECT_FALSE(verdict.error.is_null());
      ++refused;
    }
    if (HasFatalFailure() || HasNonfatalFailure()) {
      return;
    }
  }
  EXPECT_GT(refused, kGraphs / 10);
  EXPECT_GT(compared_, kGraphs / 10);
}

}  // namespace
}  // namespace framelock::graph
