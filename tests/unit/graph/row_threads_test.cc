// SPDX-License-Identifier: Apache-2.0
#include "workers/graph/row_threads.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "workers/graph/executor.h"
#include "workers/graph/session.h"
#include "workers/nodes/builtin.h"

namespace framelock::graph {
namespace {

TEST(RowThreads, EachRowIsWorkedOnOnce) {
  for (const std::size_t count : {1, 2, 5}) {
    RowThreads threads(count);
    EXPECT_EQ(threads.count(), count);
    for (const std::size_t rows : {0, 1, 2, 3, 7, 64, 1001}) {
      std::vector<std::atomic<int>> seen(rows);
      std::vector<std::atomic<int>> numbers(threads.Parts(rows, 2));
      const auto work = [&](const RowThreads::Part& part) {
        ++numbers.at(part.number);
        for (std::size_t row = part.begin; row < part.end; ++row) ++seen[row];
      };
      threads.Share(rows, work, 2);
      for (const auto& row : seen) EXPECT_EQ(row, 1);
      for (const auto& number : numbers) EXPECT_EQ(number, 1);
    }
  }
}

TEST(RowThreads, ThereAreNoMorePartsThanRowsAreWorth) {
  const RowThreads threads(4);
  EXPECT_EQ(threads.Parts(0), 1u);
  EXPECT_EQ(threads.Parts(2 * RowThreads::kLeastRows - 1), 1u);
  EXPECT_EQ(threads.Parts(2 * RowThreads::kLeastRows), 2u);
  EXPECT_EQ(threads.Parts(100 * RowThreads::kLeastRows), 4u);
  EXPECT_EQ(RowThreads::Alone().Parts(1000, 1), 1u);
}

TEST(RowThreads, WhoFindsThemBusyWorksAlone) {
  RowThreads threads(2);
  std::atomic<int> inner = 0;
  const auto count = [&](const RowThreads::Part& all) {
    EXPECT_EQ(all.number, 0u);
    inner += static_cast<int>(all.end - all.begin);
  };
  threads.Share(
      2, [&](const RowThreads::Part&) { threads.Share(10, count, 1); }, 1);
  EXPECT_EQ(inner, 20);
}

TEST(RowThreads, WhoKeepsToItselfSharesWithNobody) {
  RowThreads threads(2);
  std::thread([&] {
    RowThreads::KeepToYourself();
    const auto self = std::this_thread::get_id();
    int parts = 0;
    threads.Share(
        1000,
        [&](const RowThreads::Part& all) {
          EXPECT_EQ(std::this_thread::get_id(), self);
          parts += all.end == 1000 ? 1 : 2;
        },
        1);
    EXPECT_EQ(parts, 1);
  }).join();
}

std::string Graph(const std::string& nodes, const std::string& last) {
  return R"({"1":{"class_type":"LoadTensor","inputs":{}},)" + nodes +
         R"(,"9":{"class_type":"SaveTensor","inputs":{"images":[")" + last + R"(",0]}}})";
}

std::string Node(const std::string& class_type, const std::string& inputs) {
  return R"("2":{"class_type":")" + class_type + R"(","inputs":{"image":["1",0],)" + inputs + "}}";
}

std::string Scale(const std::string& method, const std::string& size) {
  return Graph(
      Node("ImageScale", R"("upscale_method":")" + method + R"(",)" + size + R"(,"crop":"center")"),
      "2");
}

// Of all nodes that share their work.
std::vector<std::string> Prompts() {
  std::vector<std::string> prompts{
      Graph(Node("ImageInvert", R"("x":0)"), "2"),
      Graph(Node("ImageBlur", R"("blur_radius":9,"sigma":0.7)"), "2"),
      Graph(Node("ImageSharpen", R"("sharpen_radius":3,"sigma":0.7,"alpha":0.9)"), "2"),
      Graph(
          Node("ImageLevels", R"("black_level":0.1,"mid_level":0.4,"white_level":0.8,"clip":true)"),
          "2"),
      Graph(Node("Canny", R"("low_threshold":0.1,"high_threshold":0.6)"), "2"),
      Graph(Node("ImageFlip", R"("flip_method":"y-axis: horizontally")") +
                R"(,"3":{"class_type":"ImageToMask","inputs":{"image":["2",0],"channel":"red"}},)"
                R"("4":{"class_type":"ImageCompositeMasked","inputs":{"destination":["1",0],)"
                R"("source":["2",0],"x":17,"y":9,"resize_source":true,"mask":["3",0]}})",
            "4"),
      Graph(Node("ImageAddNoise", R"("seed":5,"strength":0.3)"), "2"),
      Graph(Node("ImageFlip", R"("flip_method":"x-axis: vertically")") +
                R"(,"3":{"class_type":"ImageBlend","inputs":{"image1":["1",0],"image2":["2",0],)"
                R"("blend_factor":0.4,"blend_mode":"overlay"}})",
            "3"),
      Graph(Node("JoinImageWithAlpha", R"("alpha":["3",0])") +
                R"(,"3":{"class_type":"ImageToMask","inputs":{"image":["1",0],"channel":"red"}},)"
                R"("4":{"class_type":"ImageScale","inputs":{"image":["2",0],)"
                R"("upscale_method":"lanczos","width":97,"height":130,"crop":"disabled"}})",
            "4"),
  };
  for (const char* method : {"nearest-exact", "bilinear", "area", "bicubic", "lanczos"}) {
    prompts.push_back(Scale(method, R"("width":450,"height":380)"));
    prompts.push_back(Scale(method, R"("width":123,"height":77)"));
  }
  return prompts;
}

class SharedGraphTest : public testing::Test {
 protected:
  // The floats of some frames of two pictures each, the last one smaller.
  std::vector<float> Compute(const std::string& text, RowThreads& threads) const {
    Result<Prompt> prompt = Prompt::Parse(text);
    EXPECT_TRUE(prompt.ok());
    const Verdict verdict = Validate(registry_, *prompt);
    EXPECT_TRUE(verdict.valid) << verdict.ToJson();
    TensorPool pool(1U << 30);
    FaultHooks faults;
    Executor executor(Plan::Make(registry_, *prompt, verdict), pool, faults, threads);
    EXPECT_FALSE(executor.Load());
    std::vector<float> results;
    for (const std::uint32_t height : {211U, 211U, 140U}) {
      Tensor frame = *pool.Allocate({2, height, 300, 3});
      for (std::size_t i = 0; i < frame.size(); ++i) {
        const std::size_t value = (i * i / 7 + i + results.size()) % 251;
        frame.mutable_data()[i] = static_cast<float>(value) / 250.0F;
      }
      const auto failure = executor.Run(std::move(frame), FrameUse::kShown);
      EXPECT_FALSE(failure) << failure->ToString();
      const auto values = executor.result(0).values();
      results.insert(results.end(), values.begin(), values.end());
    }
    return results;
  }

  static bool SameBits(const std::vector<float>& one, const std::vector<float>& other) {
    return one.size() == other.size() &&
           std::memcmp(one.data(), other.data(), one.size() * sizeof(float)) == 0;
  }

  const NodeRegistry registry_ = std::move(*nodes::BuiltinNodes());
};

TEST_F(SharedGraphTest, WhatIsComputedDoesNotDependOnHowManyThreadsThereAre) {
  RowThreads three(3);
  RowThreads eight(8);
  for (const std::string& prompt : Prompts()) {
    const std::vector<float> alone = Compute(prompt, RowThreads::Alone());
    EXPECT_FALSE(alone.empty());
    EXPECT_TRUE(SameBits(Compute(prompt, three), alone)) << prompt;
    EXPECT_TRUE(SameBits(Compute(prompt, eight), alone)) << prompt;
  }
}

TEST_F(SharedGraphTest, GraphsThatRunAtATimeDoNotDisturbOneAnother) {
  RowThreads threads(3);
  const auto prompts = Prompts();
  std::vector<std::vector<float>> wanted;
  for (const std::string& prompt : prompts) wanted.push_back(Compute(prompt, RowThreads::Alone()));
  const auto compute_all = [&] {
    for (std::size_t i = 0; i < prompts.size(); ++i) {
      EXPECT_TRUE(SameBits(Compute(prompts[i], threads), wanted[i])) << prompts[i];
    }
  };
  std::thread other(compute_all);
  compute_all();
  other.join();
}

// To floats and back.
TEST_F(SharedGraphTest, ASessionSharesItsBytes) {
  constexpr std::uint32_t kWidth = 100;
  constexpr std::uint32_t kHeight = 300;
  constexpr std::size_t kStride = std::size_t{kWidth} * 3;
  RowThreads threads(3);
  SessionOptions options;
  options.threads = &threads;
  const auto session = std::move(*Session::Create(registry_, options));
  ASSERT_FALSE(session->Prepare(Prompts().front()));
  std::vector<std::byte> frame(kStride * kHeight);
  for (std::size_t i = 0; i < frame.size(); ++i) frame[i] = static_cast<std::byte>(i * i % 255);
  ASSERT_TRUE(
      session->Run({.bytes = frame, .shape = {kWidth, kHeight, 3}, .stride = kStride}).ok());
  std::vector<std::byte> out(frame.size());
  ASSERT_TRUE(session->WriteOutput({.bytes = out, .stride = kStride}).ok());
  for (std::size_t i = 0; i < frame.size(); ++i) {
    const float inverted = 1.0F - static_cast<float>(frame[i]) / 255.0F;
    ASSERT_EQ(out[i], static_cast<std::byte>(inverted * 255.0F)) << i;
  }
}

}  // namespace
}  // namespace framelock::graph
